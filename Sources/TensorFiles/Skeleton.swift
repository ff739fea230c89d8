// The first file of this room lands with its first capability.
