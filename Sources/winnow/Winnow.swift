import ArgumentParser

@main
struct Winnow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "winnow", abstract: "Clean image-text training data.")
}
