/// One process' share of a stage that several run at once, over one folder: every `count`th unit of work.
public struct Rank: Sendable, Equatable {
  public var index: Int
  public var count: Int

  /// The only process.
  public static let whole = Rank(index: 0, count: 1)

  /// - Precondition: `index` lies in `0..<count`.
  public init(index: Int, count: Int) { (self.index, self.count) = (index, count) }

  var isWhole: Bool { count == 1 }

  /// The units of work, of `total`, that are this one's.
  func share(of total: Int) -> [Int] { Array(stride(from: index, to: total, by: count)) }

  /// Reads the rank from what SLURM tells its tasks: of a job array by its lowest index, highest index and step, else of
  /// the tasks of a job (`srun`).
  ///
  /// - Returns: the rank, and what it was read from, in words.
  /// - Throws: `RunError.usage` where nothing is told, or the array has holes.
  public static func ofSLURM(
    _ environment: [String: String]
  ) throws(RunError) -> (rank: Rank, source: String) {
    func number(_ name: String) throws(RunError) -> Int? {
      guard let text = environment[name] else { return nil }
      guard let value = Int(text) else {
        throw .usage("--rank auto: \(name) is \(text), no number")
      }
      return value
    }
    if let task = try number("SLURM_ARRAY_TASK_ID") {
      guard let first = try number("SLURM_ARRAY_TASK_MIN"),
        let last = try number("SLURM_ARRAY_TASK_MAX")
      else {
        throw .usage(
          "--rank auto: SLURM_ARRAY_TASK_ID is set, SLURM_ARRAY_TASK_MIN or _MAX isn't; "
            + "give --rank and --world-size")
      }
      let step = try number("SLURM_ARRAY_TASK_STEP") ?? 1
      guard step >= 1, first <= task, task <= last, (task - first) % step == 0 else {
        throw .usage(
          "--rank auto: SLURM_ARRAY_TASK_ID \(task) isn't one of \(first) to \(last) by \(step); "
            + "give --rank and --world-size")
      }
      let count = (last - first) / step + 1
      if let told = try number("SLURM_ARRAY_TASK_COUNT"), told != count {
        throw .usage(
          "--rank auto: the array has \(told) tasks, not each of \(first) to \(last) by \(step); "
            + "give --rank and --world-size")
      }
      let rank = Rank(index: (task - first) / step, count: count)
      return (rank, "SLURM_ARRAY_TASK_ID=\(task) of \(first)-\(last):\(step)")
    }
    if let process = try number("SLURM_PROCID"), let count = try number("SLURM_NTASKS") {
      guard (0..<max(0, count)).contains(process) else {
        throw .usage("--rank auto: SLURM_PROCID is \(process) of SLURM_NTASKS=\(count)")
      }
      return (
        Rank(index: process, count: count), "SLURM_PROCID=\(process) of SLURM_NTASKS=\(count)"
      )
    }
    throw .usage(
      "--rank auto reads SLURM_ARRAY_TASK_ID or SLURM_PROCID, and neither is set; "
        + "give --rank and --world-size")
  }
}
