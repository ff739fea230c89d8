import Foundation
import Testing

@testable import Pipeline

/// What Winnow wrote, read by commands that learn or measure.
@Suite struct OutputAsInputTests {
  private let member = ["--member", "judges", "--fold", "0"]

  /// A corpus of 120 pairs, cleaned into `corpus/out`.
  private func shop() throws -> Workshop {
    let shop = try Workshop(pairs: 120, shards: 120)
    try shop.writeJudges()
    let outcome = try shop.clean(
      out: "corpus/out", "--ensemble", "judges", "--keep-fraction", "0.7")
    #expect(outcome.status == 0, "\(outcome.errors)")
    return shop
  }

  @Test func aFolderWithRejectedPairsBelowItIsRefusedAndTheOneToNameIsTold() throws {
    let shop = try shop()
    try FileManager.default.createSymbolicLink(
      atPath: "\(shop.root)/linked", withDestinationPath: "corpus/out")
    let remedy = "name \(realPath("\(shop.root)/corpus/out"))/clean instead"
    let inputs = [("corpus/out", ""), ("corpus", ""), ("linked", ""), ("-", "corpus/out\n")]
    for (input, list) in inputs {
      let commands = [
        ["train", input, "--out", "new"], ["embed", input, "--out", "new"] + member,
        ["eval", "retrieval", input] + member,
      ]
      for command in commands {
        let outcome = try Workshop.run(Workshop.binary, command, in: shop.root, input: list)
        #expect(outcome.status == 2, "\(command): \(outcome.errors)")
        #expect(outcome.errors.contains(remedy), "\(command): \(outcome.errors)")
        #expect(!shop.exists("new"), "\(command)")
      }
    }
  }

  @Test func keptOrRejectedPairsByTheNameOfTheirFolderAreWhatIsMeant() throws {
    let shop = try shop()
    for names in [["clean"], ["rejected"], ["clean", "rejected"]] {
      let selection = try ShardSelection(names.map { "\(shop.root)/corpus/out/\($0)" })
      #expect(throws: Never.self, "\(names)") {
        // As for a training.
        try selection.checkApart(from: RunDirectory("\(shop.root)/new"), acceptsOutput: true)
      }
    }
    let ledger = try shop.manifest("corpus/out").ledger
    let embedded = try Workshop.run(
      Workshop.binary, ["embed", "corpus/out/clean", "--out", "new"] + member, in: shop.root)
    #expect(embedded.status == 0, "\(embedded.errors)")
    #expect(embedded.errors.contains("\(ledger.kept) pairs embedded"), "\(embedded.errors)")
    let measured = try Workshop.run(
      Workshop.binary, ["eval", "retrieval", "corpus/out/rejected"] + member, in: shop.root)
    #expect(measured.status == 0, "\(measured.errors)")
  }
}
