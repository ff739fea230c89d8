import ArgumentParser

@main
struct BuildSamples: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build-samples", abstract: "Build a WebDataset corpus from Debian's clip art.")
}
