/// Tells text that looks like mojibake, by sequences of characters that hardly occur otherwise: ftfy 6.3.1's `is_bad`.
enum Badness {
  /// Whether any rule matches anywhere.
  static func isBad(_ text: [Unicode.Scalar]) -> Bool {
    let kinds = text.map(Kinds.init)
    for start in text.indices where kinds[start].rawValue != 0 {
      for rule in rules where rule.first.map({ $0.matches(text[start], kinds[start]) }) ?? false {
        guard start + rule.count <= text.count else { continue }
        let matches = rule.indices.dropFirst().allSatisfy {
          rule[$0].matches(text[start + $0], kinds[start + $0])
        }
        if matches { return true }
      }
    }
    return text.count > 1 && "ÃÂ".unicodeScalars.contains(text[0]) && text[1] == " "
  }

  /// The kinds of a character, as a set.
  struct Kinds: OptionSet {
    let rawValue: UInt32

    static let c1 = Kinds(rawValue: 1 << 0)
    static let bad = Kinds(rawValue: 1 << 1)
    static let law = Kinds(rawValue: 1 << 2)
    static let currency = Kinds(rawValue: 1 << 3)
    static let start = Kinds(rawValue: 1 << 4)
    static let end = Kinds(rawValue: 1 << 5)
    static let numeric = Kinds(rawValue: 1 << 6)
    static let kaomoji = Kinds(rawValue: 1 << 7)
    static let upperAccented = Kinds(rawValue: 1 << 8)
    static let lowerAccented = Kinds(rawValue: 1 << 9)
    static let upperCommon = Kinds(rawValue: 1 << 10)
    static let lowerCommon = Kinds(rawValue: 1 << 11)
    static let box = Kinds(rawValue: 1 << 12)
    static let common = Kinds(rawValue: 1 << 13)
    static let asciiUpper = Kinds(rawValue: 1 << 14)
    static let asciiLower = Kinds(rawValue: 1 << 15)
    static let space = Kinds(rawValue: 1 << 16)
    static let word = Kinds(rawValue: 1 << 17)
    /// Occurs in a rule by itself.
    static let named = Kinds(rawValue: 1 << 18)

    static let accented: Kinds = [.upperAccented, .lowerAccented]
    static let ascii: Kinds = [.asciiUpper, .asciiLower]

    init(rawValue: UInt32) { self.rawValue = rawValue }

    init(_ scalar: Unicode.Scalar) {
      var kinds = Self.tables[scalar] ?? []
      switch scalar.value {
      case 0x80...0x9F: kinds.insert(.c1)
      case 0x41...0x5A: kinds.insert(.asciiUpper)
      case 0x61...0x7A: kinds.insert(.asciiLower)
      case 0x1C...0x1F: kinds.insert(.space)
      default: break
      }
      switch ScalarClass(scalar) {
      case .space: kinds.insert(.space)
      case .letter, .number: kinds.insert(.word)
      case .other: if scalar == "_" { kinds.insert(.word) }
      }
      self = kinds
    }

    private static let tables: [Unicode.Scalar: Kinds] = {
      var tables: [Unicode.Scalar: Kinds] = [:]
      let members: [(String, Kinds)] = [
        (MojibakeTables.common, .common), (MojibakeTables.bad, .bad), (MojibakeTables.law, .law),
        (MojibakeTables.currency, .currency), (MojibakeTables.startPunctuation, .start),
        (MojibakeTables.endPunctuation, .end), (MojibakeTables.numeric, .numeric),
        (MojibakeTables.kaomoji, .kaomoji), (MojibakeTables.upperAccented, .upperAccented),
        (MojibakeTables.lowerAccented, .lowerAccented), (MojibakeTables.upperCommon, .upperCommon),
        (MojibakeTables.lowerCommon, .lowerCommon), (MojibakeTables.box, .box),
        ("ŒœÂÃÎÐ×ØÙà√≈‚вВГРСÃβΒΓΞΟāÄ", .named),
      ]
      for (text, kind) in members {
        for scalar in text.unicodeScalars { tables[scalar, default: []].insert(kind) }
      }
      return tables
    }()
  }

  /// One character of a rule: of one of these kinds, or one of these characters (or, negated, neither).
  struct Unit {
    var kinds: Kinds
    var characters: Set<Unicode.Scalar>
    var isNegated = false

    init(_ kinds: Kinds, _ characters: String = "") {
      self.kinds = kinds
      self.characters = Set(characters.unicodeScalars)
    }

    init(_ characters: String) { self.init([], characters) }

    static func not(_ kinds: Kinds) -> Unit {
      var unit = Unit(kinds)
      unit.isNegated = true
      return unit
    }

    func matches(_ scalar: Unicode.Scalar, _ itsKinds: Kinds) -> Bool {
      (!kinds.isDisjoint(with: itsKinds) || characters.contains(scalar)) != isNegated
    }
  }

  /// The rules of `BADNESS_RE`, in its order; `^[ÃÂ][ ]` stands in `isBad`.
  private static let rules: [[Unit]] = {
    let suspicious: Kinds = [.accented, .box, .start, .end, .currency, .numeric, .law]
    let arabic = Unit([.common, .currency, .bad, .numeric, .start], "ŸŠ®°µ»")
    let betweenCyrillic = Unit([.c1, .bad, .start, .end, .currency], "°µ")
    let betweenGreek = Unit([.c1, .bad, .start, .end, .currency], "°")
    return [
      [Unit(.c1)],
      [Unit([.bad, suspicious]), Unit(.bad)],
      [Unit(.ascii), Unit([.lowerCommon, .upperCommon]), Unit(.bad)],
      [Unit(.bad), Unit(suspicious)],
      [
        Unit([.lowerAccented, .lowerCommon, .box, .end, .currency, .numeric]), Unit(.upperAccented),
      ],
      [Unit([.box, .end, .currency, .numeric]), Unit(.lowerAccented)],
      [Unit([.lowerAccented, .box, .end]), Unit(.currency)],
      [Unit(.space), Unit(.upperAccented), Unit(.currency)],
      [Unit([.upperAccented, .box]), Unit([.numeric, .law])],
      [Unit([.accented, .box, .currency, .end]), Unit(.start), Unit(.numeric)],
      [Unit([.accented, .currency, .numeric, .box, .law]), Unit(.end), Unit(.start)],
      [Unit([.currency, .numeric, .box]), Unit(.start)],
      [Unit(.asciiLower), Unit(.upperAccented), Unit([.start, .currency])],
      [Unit(.box), Unit(.kaomoji)],
      [Unit([.accented, .currency, .numeric, .start, .end, .law]), Unit(.box)],
      [Unit(.box), Unit(.end)],
      [Unit(.accented), Unit([.start, .end]), Unit(.word)],
      // The ligature œ, but before an unaccented Latin letter.
      [Unit("Œœ"), .not(.ascii)],
      [Unit(.upperAccented), Unit("°")],
      // Windows-1252.
      [Unit("ÂÃÎÐ"), Unit([.start, .end], "€œŠš¢£Ÿž\u{A0}\u{AD}®©°·»–—´")],
      [Unit("×"), Unit("²³")],
      // Arabic in Windows-1252.
      [Unit("ØÙ"), arabic, Unit("ØÙ"), arabic],
      // South Asian alphabets in Windows-1252.
      [Unit("à"), Unit("²µ¹¼½¾")],
      // MacRoman.
      [Unit("√"), Unit("±∂†≠®™´≤≥¥µø")],
      [Unit("≈"), Unit("°¢")],
      [Unit("‚"), Unit("Ä"), Unit("ìîïòôúùû†°¢π")],
      [Unit("‚"), Unit("âó"), Unit("àä°ê")],
      // Windows-1251.
      [Unit("в"), Unit("Ђ")],
      [Unit("ВГРС"), betweenCyrillic, Unit("ВГРС")],
      [
        Unit("Г"), Unit("ў"), Unit("В"), Unit("Ђ"), Unit("В"), .not(Kinds(rawValue: 0)),
        Unit(.ascii, " "),
      ],
      [Unit("Ã"), Unit("\u{A0}¡")],
      [Unit(.asciiLower), Unit("ÃÂ"), Unit(" ")],
      [Unit(.asciiLower), Unit(.space), Unit("ÃÂ"), Unit(" ")],
      [Unit([.asciiLower, .end], ".,?!"), Unit("Â"), Unit([.start, .end], " ")],
      // Windows-1253.
      [Unit("β"), Unit("€"), Unit("™\u{A0}Ά\u{AD}®°")],
      [Unit("ΒΓΞΟ"), betweenGreek, Unit("ΒΓΞΟ")],
      // Windows-1257.
      [Unit("ā"), Unit("€")],
    ]
  }()
}
