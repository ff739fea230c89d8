import Foundation
import Testing

@testable import Pipeline
@testable import Reports

@Suite struct NoiseEvaluationTests {
  private func truth(_ kinds: [String]) -> [NoiseTruth.Entry] {
    kinds.map { NoiseTruth.Entry(isSwapped: $0 != "none", kind: $0) }
  }

  @Test func theCutIsMeasuredAgainstTheTruth() {
    let evaluation = NoiseEvaluation(
      mismatch: [0.9, 0.8, 0.3, 0.2, 0.1], kept: [false, false, true, true, true],
      truth: truth(["random", "none", "category", "none", "none"]))
    #expect(evaluation.pairs == 5)
    #expect(evaluation.precision == 0.5)
    #expect(evaluation.recall == 0.5)
    #expect(evaluation.keptNoiseRate == 1.0 / 3)
    #expect(evaluation.trueNoiseRate == 0.4)
    #expect(evaluation.aurocByKind["random"] == 1)
    #expect(evaluation.aurocByKind["category"] == 2.0 / 3)
    #expect(evaluation.auroc == 5.0 / 6)
  }

  @Test func everyKindOfMemberIsMeasuredAloneAndLeftOut() {
    let members = NoiseEvaluation.members(
      ["good", "bad"], scores: [[-3, 1], [-2, 1], [1, 2], [2, 0]],
      swapped: [true, true, false, false])
    #expect(members.map(\.name) == ["good", "bad"])
    #expect(members.map(\.alone) == [1, 0.5])
    #expect(members.map(\.without) == [0.5, 1])
    #expect(NoiseEvaluation.members(["one"], scores: [[1]], swapped: [true])[0].without == nil)
  }

  /// The manifest of a run with a pair, whose judges are of these kinds.
  private func manifest(kinds: String) -> String {
    """
    {"format_version": \(StateJSON.formatVersion),
     "ledger": {"read": 1, "kept": 1, "rejected": {}, "unreadable": {}, "faults": {}},
     "noise": {
       "noise_rate": 0, "noise_rate_interval": [0, 0], "cautious_noise_rate": 0,
       "cautious_noise_rate_interval": [0, 0], "cut": {"method": "confident_learning"},
       "repairing": "both", "separation": 1, "is_telling": true, "score_threshold": 0,
       "estimated_noise_kept": 0, "cautious_noise_kept": 0, "reachable": true},
     "clean": [], "rejected": [], "increments": [], "restored": [],
     "provenance": {"winnow": "", "configuration": {}, "ensemble_digest": "", "kinds": [\(kinds)]},
     "timings": {"seconds": {}, "total": 0, "workers": 1}}
    """
  }

  @Test func aManifestWithMoreKindsThanTheDecisionsHaveColumnsIsRefused() throws {
    let directory = RunDirectory(NSTemporaryDirectory() + "winnow-reports-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: directory.path) }
    try directory.makeFolder(directory.decisions)
    var table = DecisionTable(kinds: 1)
    table.keys = [Array("a".utf8)]
    (table.scores, table.mismatch, table.cautiousMismatch) = ([1], [0], [0])
    (table.kept, table.reasons) = ([true], [""])
    try table.write(to: "\(directory.decisions)/000000-a.npz")
    let truth = try NoiseTruth("key\tswapped\tkind\na\t0\tnone\n")
    func evaluate(kinds: String) throws -> NoiseEvaluation {
      try Data(manifest(kinds: kinds).utf8).write(to: URL(fileURLWithPath: directory.manifest))
      return try NoiseEvaluation(of: directory, truth: truth)
    }
    #expect(try evaluate(kinds: #""x""#).members.map(\.name) == ["x"])
    #expect {
      try evaluate(kinds: #""x", "y""#)
    } throws: {
      "\($0)".contains("decisions/000000-a.npz can't be used (it has scores of 1 kinds")
    }
  }

  @Test func figuresThatDoNotExistAreNil() {
    let evaluation = NoiseEvaluation(
      mismatch: [0.2, 0.1], kept: [true, true], truth: truth(["none", "none"]))
    #expect(evaluation.precision == nil)
    #expect(evaluation.recall == nil)
    #expect(evaluation.auroc == nil)
    #expect(evaluation.text.contains("AUROC                       -"))
  }

  @Test func theTruthFileIsRead() throws {
    let truth = try NoiseTruth("key\tswapped\tkind\n000\t0\tnone\n001\t1\trandom\n")
    #expect(truth.entries["000"] == .init(isSwapped: false, kind: "none"))
    #expect(truth.entries["001"] == .init(isSwapped: true, kind: "random"))
  }

  @Test(arguments: [
    ("", 1), ("a\tb\n", 1), ("key\tswapped\tkind\n000\t2\tnone\n", 2),
    ("key\tswapped\tkind\n000\t0\n", 2), ("key\tswapped\tkind\n0\t0\tnone\n0\t0\tnone\n", 3),
  ])
  func aBadTruthFileNamesTheLine(text: String, line: Int) {
    #expect { try NoiseTruth(text) } throws: { ($0 as? TableError)?.line == line }
  }
}
