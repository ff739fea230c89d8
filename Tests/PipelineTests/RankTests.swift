import Testing

@testable import Pipeline

@Suite struct RankTests {
  private let array = [
    "SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_MAX": "19",
    "SLURM_ARRAY_TASK_STEP": "2", "SLURM_ARRAY_TASK_COUNT": "5",
  ]

  @Test func aSLURMArraysLowestIndexAndStepCount() throws {
    let (rank, source) = try Rank.ofSLURM(array)
    #expect(rank == Rank(index: 2, count: 5))
    #expect(source.contains("14") && source.contains("10-19:2"))
    #expect(
      try Rank.ofSLURM(["SLURM_PROCID": "3", "SLURM_NTASKS": "8"]).rank == Rank(index: 3, count: 8))
  }

  @Test(arguments: [
    ["SLURM_ARRAY_TASK_COUNT": "4"], ["SLURM_ARRAY_TASK_ID": "13"], ["SLURM_ARRAY_TASK_ID": "x"],
    ["SLURM_ARRAY_TASK_ID": "22"], ["SLURM_ARRAY_TASK_STEP": "0"],
  ])
  func anArrayWithHolesIsRefused(_ changes: [String: String]) throws {
    #expect(throws: RunError.self) { try Rank.ofSLURM(array.merging(changes) { $1 }) }
  }

  @Test func withoutSLURMThereIsNoRank() {
    #expect(throws: RunError.self) { try Rank.ofSLURM([:]) }
  }

  @Test func theSharesOfAllRanksAreEveryUnitOnce() {
    let shares = (0..<3).flatMap { Rank(index: $0, count: 3).share(of: 11) }
    #expect(shares.sorted() == Array(0..<11))
  }
}
