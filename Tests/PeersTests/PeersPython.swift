import Foundation

/// The Python with what requirements-peers.txt lists; `make test-peers` sets it.
let peersPython = ProcessInfo.processInfo.environment["WINNOW_PEERS_PYTHON"]
