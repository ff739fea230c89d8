/// Why a folder cannot be used as a pretrained model. Every text names the file, and the tensor or key where it is one.
public enum PretrainedError: Error, Equatable, CustomStringConvertible {
  /// The folder holds neither of the known layouts.
  case unknownLayout(folder: String)
  /// A file is missing, or isn't what its name says.
  case unreadable(file: String, reason: String)
  /// The configuration asks for what isn't implemented.
  case unsupported(file: String, key: String, value: String, known: String)
  case missingTensor(file: String, tensor: String)
  case wrongShape(file: String, tensor: String, found: [Int], expected: [Int])
  /// A weight is infinite or no number.
  case notFinite(file: String, tensor: String)
  /// No file that a tokenizer could be read from.
  case noTokenizer(folder: String, wanted: String)

  public var description: String {
    switch self {
    case .unknownLayout(let folder):
      "\(folder) is no pretrained CLIP model: give a folder with config.json and model.safetensors (Hugging Face's "
        + "CLIPModel or ChineseCLIPModel), or with open_clip_config.json and open_clip_model.safetensors (OpenCLIP)"
    case .unreadable(let file, let reason):
      "cannot use \(file): \(reason); take the file again from where the model came from"
    case .unsupported(let file, let key, let value, let known):
      "\(file): \(key) is \(value), which Winnow doesn't have (it has \(known)); choose another model"
    case .missingTensor(let file, let tensor):
      "\(file) has no tensor '\(tensor)': its architecture isn't what the configuration beside it says"
    case .wrongShape(let file, let tensor, let found, let expected):
      "\(file): tensor '\(tensor)' has shape \(found), the configuration beside it asks for \(expected)"
    case .notFinite(let file, let tensor):
      "\(file): tensor '\(tensor)' holds a value that is no finite number; take the file again"
    case .noTokenizer(let folder, let wanted):
      "\(folder) has no tokenizer: put \(wanted) into it, from where the model came from"
    }
  }
}
