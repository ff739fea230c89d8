/// Why a caption stands where it does not belong.
enum SwapKind: String, Sendable {
  case none
  /// The caption of some other swapped pair.
  case random
  /// The caption of a swapped pair of the same category: hard to tell from a right one.
  case category
}

/// Which swaps a corpus gets.
enum SwapChoice: String, Sendable, CaseIterable {
  /// Half of the swaps at random, half within their category.
  case both
  case random
  case category

  /// How many of `count` swaps are at random.
  func random(of count: Int) -> Int {
    switch self {
    case .both: count / 2
    case .random: count
    case .category: 0
    }
  }
}

/// What an evaluation corpus did to one pair.
struct SwappedCaption: Equatable, Sendable {
  var caption: String
  var kind: SwapKind
}

/// Gives a share of the pairs the captions of others: at random, within their category, or half and half.
///
/// Each kind is permuted among itself, so the corpus keeps the captions it had. A chosen pair that is alone in its
/// category joins the random ones. A pair that receives a caption equal to its own counts as not swapped; that is
/// avoided where it can be, but a category in which one caption fills more than half cannot.
///
/// - Parameters:
///   - share: of all pairs, in `0...1`.
///   - seed: decides which pairs are chosen and which captions they get.
/// - Returns: the new captions in the order of `pairs`.
func swappingCaptions(
  of pairs: [SourcePair], share: Double, choice: SwapChoice = .both, seed: UInt64
) -> [SwappedCaption] {
  let count = Int((share * Double(pairs.count)).rounded())
  // The prefix keeps this order apart from the corpus order, which is a hash of the identity too.
  let chosen = pairs.indices.map { $0 }
    .shuffledByHash(seed: seed) { "swap \(pairs[$0].identity)" }
    .prefix(count)
  var random = Array(chosen.prefix(choice.random(of: count)))
  var groups: [(kind: SwapKind, members: [Int])] = []
  let categories = Dictionary(grouping: chosen.dropFirst(random.count)) { pairs[$0].category }
  for (_, members) in categories.sorted(by: { $0.key < $1.key }) {
    if members.count > 1 {
      groups.append((.category, members))
    } else {
      random += members
    }
  }
  groups.append((.random, random))

  var result = pairs.map { SwappedCaption(caption: $0.caption, kind: .none) }
  for (kind, members) in groups {
    let givers = members.shuffledByHash(seed: seed) { "give \(pairs[$0].identity)" }
    for (receiver, giver) in derangement(
      of: members, givers: givers, caption: { pairs[$0].caption })
    {
      let caption = pairs[giver].caption
      if caption != pairs[receiver].caption {
        result[receiver] = SwappedCaption(caption: caption, kind: kind)
      }
    }
  }
  return result
}

/// Pairs receivers with givers by a random permutation. Who would receive an equal caption trades givers with the next
/// pair for which neither then does; that fails only for a caption that fills most of `members`.
///
/// - Parameters:
///   - members: in an order of chance.
///   - givers: the same in another.
private func derangement(
  of members: [Int], givers: [Int], caption: (Int) -> String
) -> Zip2Sequence<[Int], [Int]> {
  var givers = givers
  func isFit(_ giver: Int, at position: Int) -> Bool {
    caption(givers[giver]) != caption(members[position])
  }
  for position in members.indices where !isFit(position, at: position) {
    let others = (1..<members.count).lazy.map { (position + $0) % members.count }
    if let other = others.first(where: { isFit($0, at: position) && isFit(position, at: $0) }) {
      givers.swapAt(position, other)
    }
  }
  return zip(members, givers)
}
