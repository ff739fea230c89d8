import ArgumentParser
import Pipeline

struct Embed: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a member's embeddings of every pair, in clip-retrieval's layout.",
    discussion: """
      Writes img_emb/img_emb_N.npy and text_emb/text_emb_N.npy, a unit row a pair, and metadata/metadata_N.jsonl with
      the key and the caption of each row; N is the shard's place in the list that the folder was begun with. What
      doesn't decode has no row.

      Examples:
        winnow embed '/data/{00000..00099}.tar' --member /models/clip-vit-base-patch32 --out /data/embeddings
        winnow embed /data/crawl --member /data/clean --kind conv-bag --fold 0 --out /data/embeddings
      """)

  @OptionGroup var shards: ShardArguments
  @OptionGroup var options: RunOptions

  @Option(
    help: """
      A pretrained model's folder; an ensemble's, or the output folder that holds one; or one of its KIND-foldK.safetensors.
      """)
  var member: String

  @Option(help: "The kind of member, where the ensemble has several.")
  var kind: String?

  @Option(help: "The fold that the member held out.")
  var fold: Int?

  @Flag(help: "The numbers of the rows (default: float16, as clip-retrieval).")
  var type = EmbeddingType.float16

  func run() throws {
    let configuration = try options.configuration()
    let summary = try options.perform(configuration, on: shards) {
      try Run.embed(
        $0, member: try EmbeddingMember(member, kind: kind, fold: fold), type: type, in: $1)
    }
    if !options.quiet {
      StandardError.print("\(counted(summary.embedded, "pair")) embedded by \(summary.member)")
      for (reason, count) in summary.leftOut.sorted(by: { $0.key < $1.key }) {
        StandardError.print("  left out: \(reason) \(count)")
      }
    }
    for line in firstLines(of: summary.result.faults, faultLine) {
      StandardError.print("winnow: \(line)")
    }
    if summary.exitStatus != 0 { throw ExitCode(summary.exitStatus) }
  }
}

extension EmbeddingType: EnumerableFlag {}
