import Foundation

/// How many threads are of use: the cores that this process may run on, and of a container that is given a share of their
/// time, as many as that comes to.
public let usableProcessors: Int = {
  let cores = ProcessInfo.processInfo.activeProcessorCount
  // cgroup v2, as a container sees it: microseconds of a period, or "max".
  let quota = (try? String(contentsOfFile: "/sys/fs/cgroup/cpu.max", encoding: .utf8)) ?? ""
  return min(cores, processors(quota: quota) ?? cores)
}()

/// Nil where the text sets no limit.
func processors(quota: String) -> Int? {
  let numbers = quota.split { $0.isWhitespace }.map { Double($0) }
  guard numbers.count == 2, let time = numbers[0], let period = numbers[1], time > 0, period > 0,
    time / period < 1e6
  else { return nil }
  return max(1, Int((time / period).rounded(.up)))
}
