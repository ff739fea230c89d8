import Foundation
import Shards
import Testing

@testable import Pipeline

/// Which shards of a list a folder knows.
@Suite struct IncrementLogTests {
  @Test func oneNameThatIsWrittenInTwoWaysIsTwoShards() throws {
    let folder = try TemporaryFolder()
    let names = ["\u{E9}.tar", "e\u{301}.tar"]
    for (i, name) in names.enumerated() { try folder.write(name, "\(i)") }
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    let places = names.map { ShardPath(path: folder.path($0)) }
    let both = ShardSelection(shards: places)
    let increment = try Increment.pin(both, in: run)
    #expect(Set(increment.shards.map(\.digest)).count == 2)
    var log = try IncrementLog(of: run.directory)
    log.close(increment)
    #expect(log.filterNew(both).isEmpty)

    // One that isn't listed is still there; it didn't become the other.
    let survey = try log.survey(ShardSelection(shards: [places[0]]), rescores: true, in: run)
    #expect(survey.new.isEmpty)
    #expect(survey.stale.isEmpty)
    #expect(survey.unlisted == 1)

    try folder.write(names[0], "changed")
    let changed = try log.survey(both, rescores: true, in: run)
    #expect(changed.new.map(\.place) == [places[0]])
    #expect(changed.stale.map { Array($0.path.utf8) } == [Array(places[0].path.utf8)])
    #expect(log.filterNew(both).paths.map { Array($0.utf8) } == [Array(places[0].path.utf8)])
  }

  @Test func otherLibrariesThanAModelIsTrainedWithAreNotTakenForItsOwn() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.tar", "one")
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    let shards = ShardSelection(shards: [ShardPath(path: folder.path("a.tar"))])
    _ = try Increment.pin(shards, in: run)
    try Settings.pin([.read], in: run)
    let settings = run.directory.settings
    let text = try String(contentsOfFile: settings, encoding: .utf8)
    let other = text.replacing(
      #/("environment\.libzstd"\s*:\s*)"[^"]*"/#, with: { "\($0.1)\"0.0.1\"" })
    let log = try IncrementLog(of: run.directory)
    // On another kind of processor it waits for the one that it was begun on.
    let elsewhere = other.replacing(
      #/("environment\.vector-path"\s*:\s*)"[^"]*"/#, with: { "\($0.1)\"other\"" })
    try elsewhere.write(toFile: settings, atomically: true, encoding: .utf8)
    try log.renewOpen(in: run)
    #expect(try !Settings.isEnvironmentPinned(in: run))
    try other.write(toFile: settings, atomically: true, encoding: .utf8)
    try Increment(shards: .init()).publish(to: run.directory.texts, in: run)
    try log.renewOpen(in: run)
    #expect(try !Settings.isEnvironmentPinned(in: run))
    try FileManager.default.removeItem(atPath: run.directory.texts)
    try log.renewOpen(in: run)
    #expect(try Settings.isEnvironmentPinned(in: run))
  }

  /// Too few pairs for a noise model, say: the next night is another one's first, on whatever machine.
  @Test func whatAFirstIncrementThatIsGoneLeftKeepsNoOtherMachineFromTheNext() throws {
    let folder = try TemporaryFolder()
    try folder.write("a.tar", "one")
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    try Settings.pin([.read], in: run)
    let settings = run.directory.settings
    let text = try String(contentsOfFile: settings, encoding: .utf8)
    try text.replacing(
      #/("environment\.(?:libzstd|vector-path)"\s*:\s*)"[^"]*"/#, with: { "\($0.1)\"other\"" }
    ).write(toFile: settings, atomically: true, encoding: .utf8)
    try folder.write("out/noise-model.json", "{}")
    #expect(try !Settings.isEnvironmentPinned(in: run))
    var log = try IncrementLog(of: run.directory)
    let shards = ShardSelection(shards: [ShardPath(path: folder.path("a.tar"))])
    let survey = try log.survey(shards, rescores: true, in: run)
    #expect(try log.pin(survey, in: run)?.index == 0)
    #expect(try Settings.isEnvironmentPinned(in: run))
    #expect(!FileManager.default.fileExists(atPath: run.directory.noiseModel))
  }

  @Test func aCopyIsNotOpenedAgainBeforeItIsWrittenTo() throws {
    let folder = try TemporaryFolder()
    let run = try RunContext(
      configuration: RunConfiguration(), directory: RunDirectory(folder.path("out")))
    try run.directory.prepare()
    let places = ["a.tar", "copy.tar"].map { ShardPath(path: folder.path($0)) }
    for place in places { try Data("one".utf8).write(to: URL(fileURLWithPath: place.path)) }
    let increment = try Increment.pin(ShardSelection(shards: [places[0]]), in: run)
    var log = try IncrementLog(of: run.directory)
    log.close(increment)
    func survey() throws -> ShardSurvey {
      try log.survey(ShardSelection(shards: places), rescores: true, in: run)
    }
    let first = try survey()
    #expect(first.new.isEmpty && first.stale.isEmpty && first.unlisted == 0)
    #expect(first.notes.count == 1 && first.notes[0].contains("copy.tar has the bytes of "))

    // Other bytes in its place, as nobody can tell without reading them.
    let copy = places[1].path
    let identity = try FileIdentity(of: copy)
    func setTime(_ nanoseconds: Int64) {
      let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
      let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(rest))
      let status = utimensat(AT_FDCWD, copy, [time, time], 0)
      #expect(status == 0)
    }
    let file = try #require(FileHandle(forWritingAtPath: copy))
    try file.write(contentsOf: Data("two".utf8))
    try file.close()
    setTime(identity.modified)
    try #require(try FileIdentity(of: copy) == identity)
    let second = try survey()
    #expect(second.new.isEmpty && second.stale.isEmpty)
    // It is told once.
    #expect(second.notes == [])

    setTime(identity.modified + 1_000_000_000)
    #expect(try survey().new.map(\.place) == [places[1]])
  }
}
