"""What kind of thing does this message say: the constant part of messages that differ only in values.

Two steps, so that the dear one sees few lines. `signatures` is a function of the single message (digit runs and ids
collapsed, vectorised) and may run on any block of lines in any order: a million lines become some hundred signatures.
`templates` then looks at all signatures together: generic masks, and a merge that turns a word into a variable where
several different words occur between the same neighbours. Because templating is done once, over the union, the pattern of
a message does not depend on how the lines were cut into blocks. How well it groups is measured by `benchmarks/patterns.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from ...parsers.arrays import flags, holds, numbers, one
from ...parsers.kernels.words import collapsed, rows_with
from .endpoints import endpoints

pc: Any = pyarrow.compute  # its functions are made at import time: no checker sees them

__all__ = ["MASKS", "OTHER", "VARIABLE", "PatternTable", "coarser", "endpoints", "signatures", "templates"]

#: What stands where messages differ.
VARIABLE = "<*>"
#: The pattern of messages that no room was left for.
OTHER = "(other)"
#: Characters of a message that are looked at: what differs later differs in values, or is a dump.
LONGEST = 1000
#: Signatures that are templated together; more kinds of message than this are free text.
MOST = 50_000

#: Different words that must occur in one place, all others equal, before the place is a variable ...
_DISTINCT = 4
#: ... fewer after a word that announces a name ("user", "host"), more for the first word, which mostly says what happens.
_DISTINCT_NAMED, _DISTINCT_FIRST = 3, 8
_ROUNDS = 4

# --------------------------------------------------------------------------------------------------------- vocabulary


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMERS = _words(
    """
    user users host hosts hostname device file files directory dir port interface address client server service process
    program module driver node domain container pod instance job task thread session queue topic table database image
    volume name id group key worker unit plugin package
    """
)
#: Words that say what state a thing is in (or what was done): messages that differ in one are not the same kind.
_STATES = _words(
    """
    up down start started starting stop stopped stopping restart restarted restarting open opened opening close closed
    closing fail failed failing fails succeed succeeded success successful failure pause paused resume resumed suspend
    suspended enable enabled disable disabled online offline connect connected connecting disconnect disconnected accept
    accepted reject rejected refused allow allowed deny denied begin begins began begun end ends ended finish finished
    complete completed abort aborted active inactive activated deactivated true false yes no on off valid invalid healthy
    unhealthy alive dead ready unready add added remove removed create created delete deleted lock locked unlock unlocked
    load loaded unload unloaded mount mounted unmount unmounted install installed uninstall uninstalled enter entered
    entering leave left leaving acquire acquired release released join joined commit committed rollback grant granted
    revoke revoked register registered unregister unregistered attach attached detach detached debug info notice warning
    warn error critical fatal normal running exited killed terminated crashed timeout expired recovered degraded get post
    put patch delete head options select insert update
    """
)

# --------------------------------------------------------------------------------------------------------- signatures

# Ids that mix letters and digits would make every message a kind of its own, so they are collapsed here already, on the
# few distinct texts that are left once digit runs are one "0". (RE2 syntax, as all patterns here.)
_ID_FORMS = (
    r"\b[0a-fA-F]+(?:-[0a-fA-F]+){4}\b",  # uuid
    r"\b(?:0[xX])?[a-fA-F]*0[0a-fA-F]+\b",  # hexadecimal: digests, addresses, trace ids
    r"\b0[xX][0a-fA-F]+\b",
    r"\b(?:[A-Za-z]*0){4,}[A-Za-z]*={0,2}",  # four runs of digits in one word: base64 and other random tokens
)
_IDS = "|".join(_ID_FORMS)
#: The first line, and the last line that names an exception (Java's innermost cause, Python's last line).
_FOLDED = (
    r"(?s)^(?P<first>[^\n]*)(?:.*\n(?P<last>(?:Caused by: )?[A-Za-z_][\w.$]*"
    r"(?:Error|Exception|Warning|Failure|Fault|Exit|Interrupt|Timeout)\b[^\n]*))?"
)


def signatures(messages: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """Each message without its digits and ids: a rough kind that depends on nothing but the message itself.

    Takes text (or dictionary-encoded text), gives a dictionary of int32 and string of the same length; null stays null. Of a
    message of several lines the first line and the last one that names an exception count, and of each at most `LONGEST`
    characters.
    """
    if isinstance(messages, pa.ChunkedArray):
        messages = messages.combine_chunks()
    if pa.types.is_dictionary(messages.type):
        return _through(messages.indices, signatures(messages.dictionary))
    # joined with nothing: a slice becomes an array of its own, whose bytes begin at its first text
    texts = pa.concat_arrays([messages.cast(pa.string()), pa.nulls(0, pa.string())])
    several = rows_with(texts, b"\n")
    if len(several):
        mask = np.zeros(len(texts), np.bool_)
        mask[several] = True
        texts = pc.replace_with_mask(texts, flags(mask), _folded(texts.take(numbers(several))))
    long = holds(pc.greater(pc.binary_length(texts), numbers(np.array([LONGEST], np.int32))[0]))
    if long.any():
        cut = pc.utf8_slice_codeunits(texts.filter(flags(long)), 0, LONGEST)
        texts = pc.replace_with_mask(texts, flags(long), cut)
    encoded = collapsed(texts).dictionary_encode()
    masked = pc.replace_substring_regex(encoded.dictionary, _IDS, "0").dictionary_encode()
    return _through(encoded.indices, masked)


def _through(indices: pa.Array, encoded: pa.DictionaryArray) -> pa.DictionaryArray:
    """The dictionary array whose value at i is `encoded[indices[i]]`."""
    return pa.DictionaryArray.from_arrays(encoded.indices.take(indices).cast(pa.int32()), encoded.dictionary)


def _folded(texts: pa.Array) -> pa.Array:
    parts = pc.extract_regex(texts, _FOLDED)
    first, last = pc.struct_field(parts, "first"), pc.struct_field(parts, "last")
    first, last = (
        pc.utf8_slice_codeunits(first, 0, LONGEST // 2),
        pc.utf8_slice_codeunits(last, 0, LONGEST // 2),
    )
    return pc.if_else(pc.equal(last, one("")), first, pc.binary_join_element_wise(first, last, one(" | ")))


def coarser(values: pa.Array, level: int) -> pa.Array:
    """Signatures (or any texts) cut to fewer kinds, for a table that outgrows its room.

    Level 1 keeps eight words, 2 four, 3 two, from 4 on everything is `OTHER`. It looks at one text at a time, and coarsening
    in steps gives what coarsening at once gives, so blocks may do it before or after they are merged.
    """
    if level <= 0:
        return values
    if level >= 4:
        return pc.if_else(pc.is_valid(values), OTHER, pa.scalar(None, pa.string()))
    words = {1: 8, 2: 4, 3: 2}[level]
    return pc.replace_substring_regex(values, rf"^(\s*\S+(?:\s+\S+){{0,{words - 1}}})[\s\S]*$", r"\1")


# ---------------------------------------------------------------------------------------------------------- templates

_BEFORE = r"(^|[\s\"'=(:\[,<>|])"
_NAME = r"[\w.@%+~#$*-]"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_SIZE = r"(?:[kKMGTP]i?)?(?:[Bb]ytes?|[Bb])\b"
_UNIT = rf"(?:%|{_SIZE}|[munµ]?s\b|m?secs?\b|(?:milli|micro|nano)?seconds?\b|min(?:ute)?s?\b|hours?\b|days?\b|h\b|[kMG]?Hz\b)"
_AMOUNT = r"(?:\b0(?:[.,:/]0)*|<\*>)"

#: Masks for values by name, in this order, on signatures: (RE2 pattern, what stands for it).
MASKS: Mapping[str, tuple[str, str]] = {
    "address of a page": (r"[a-zA-Z][a-zA-Z0+.-]*://[^\s\"'<>|\])},;]+", VARIABLE),
    "mail address": (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", VARIABLE),
    "date with its weekday": (rf"\b{_DAY},? +{_MONTH} +0(?:[ ,:.+-]+0)*(?: +[A-Z]{{3,4}})?(?: +0)?\b", VARIABLE),  # Mon Nov 23 10:00:00 CET 2026
    "date, day first": (rf"\b(?:{_DAY},? +)?0[ -]{_MONTH}[ -]0(?:[ ,:.+-]+0)*\b", VARIABLE),  # 23 Nov 2026 10:00:00
    "date, month first": (rf"\b{_MONTH} +0(?: +0)?(?:[ :.]0)*\b", VARIABLE),  # Nov 23 10:00:00
    "path with backslashes": (_BEFORE + r"(?:[A-Za-z]:)?(?:\\+[\w.$~-]+)+\\*", r"\1" + VARIABLE),
    "path": (_BEFORE + rf"(?:~|\.{{1,2}})?(?:/{_NAME}+)+/?(?:\?[^\s\"']*)?", r"\1" + VARIABLE),
    "relative path of three or more parts": (_BEFORE + rf"{_NAME}+(?:/{_NAME}+){{2,}}/?", r"\1" + VARIABLE),
    "hardware address": (r"\b(?:[0a-fA-F]{1,2}:){5,}[0a-fA-F]{1,2}\b", VARIABLE),
    "IPv6 address": (r"(?:[0a-fA-F]{0,4}:){2,7}:?[0a-fA-F]{1,4}\b", VARIABLE),
    "host and port": (r"\b[\w-]+(?:\.[\w-]+)+:0\b", VARIABLE),
    "host of three or more parts": (r"\b(?:[\w-]+\.){2,}[a-z]{2}\b", VARIABLE),
    "host of a common domain": (
        r"\b(?:[\w-]+\.)+(?:com|net|org|edu|gov|mil|int|io|info|biz|local|lan|home|corp|internal|localdomain)\b",
        VARIABLE,
    ),
    "numbered host, version or file": (r"\b[\w-]*0[\w-]*(?:\.[\w-]+)+\b", VARIABLE),
    "name with a numbered last part": (r"\b(?:[\w-]+\.)+[\w-]*0[\w-]*\b", VARIABLE),
    # with the same amount said again in brackets: "<1 s", "12 kB", "12345 bytes (12.3 KB)"
    "number with its unit": (rf"(?:[<>~] ?)?[+-]?{_AMOUNT}(?: ?{_UNIT})?(?: \({_AMOUNT} ?(?:%|{_SIZE})(?:, [^()]*)?\))?", VARIABLE),
    "any word with a digit": (r"[+-]?\b\w*0\w*(?:[.:,/+-]\w*0\w*)*%?", VARIABLE),
    "empty brackets": (r" \(\)", f" ({VARIABLE})"),  # a value that happens to be empty
    "empty quotes": (r"\"\"|''", VARIABLE),
    "number sign": (r"#<\*>#?", VARIABLE),
}
_RUNS = (r"<\*>(?:[\s,:;./|_=#\\-]*<\*>)+", VARIABLE)
_SPACES = (r"\s+", " ")

_TOKENS = re.compile(r"<\*>|\w+|\s+|[^\w\s]")
_WORDS = re.compile(r"\s+|[^\s,;:.]+(?:[,;:.]+[^\s,;:.]+)*|[,;:.]+")


def templates(kinds: Sequence[str], masks: Iterable[tuple[str, str]] = tuple(MASKS.values())) -> list[str]:
    """The pattern of each signature, `<*>` where its messages differ.

    It looks at the whole list, so give it all signatures there are; their order and repetitions do not matter.
    """
    if not kinds:
        return []
    masked = _tidy(_replaced(pa.array(kinds, pa.string()), masks))
    encoded = masked.dictionary_encode()
    texts: list[str] = encoded.dictionary.to_pylist()
    texts = _merged(texts, _WORDS, _values)
    texts = _merged(_tidy(pa.array(texts, pa.string())).to_pylist(), _TOKENS, _alternatives)
    final: list[str] = _tidy(pa.array(texts, pa.string())).to_pylist()
    return [final[k] for k in encoded.indices.to_pylist()]


def _replaced(texts: pa.Array, masks: Iterable[tuple[str, str]]) -> pa.Array:
    for pattern, by in masks:
        texts = pc.replace_substring_regex(texts, pattern, by)
    return texts


def _tidy(texts: pa.Array) -> pa.Array:
    """Runs of variables and of white space made one, and lists of like things made one of them."""
    texts = pc.utf8_trim_whitespace(_replaced(texts, (_RUNS, _SPACES)))
    return pa.array([_unrepeated(text) for text in texts.to_pylist()], pa.string())


def _unrepeated(text: str) -> str:
    """One of each group of up to three words with a variable that is repeated right after itself."""
    words = text.split(" ")
    for size in (1, 2, 3):
        out: list[str] = []
        k = 0
        while k < len(words):
            group = words[k : k + size]
            if out[-size:] == group and any(VARIABLE in word for word in group):
                k += size
            else:
                out.append(words[k])
                k += 1
        words = out
    return " ".join(words)


Matrix = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
#: Says of a matrix of words (rows of equal length, word numbers) and a column which rows' words are values there, given
#: each row's group: (vocabulary, matrix, column, group of each row) -> how strong the case is, 0 for none.
_Judge = Callable[["_Vocabulary", Matrix, int, Matrix], Matrix]


class _Vocabulary:
    """All words of the texts, numbered in sorted order, with what is known of each."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted({*words, VARIABLE})
        self.number = {word: k for k, word in enumerate(self.words)}
        self.variable = self.number[VARIABLE]
        flags = [
            (
                word[0].isalnum() or word[0] == "_",
                word.lower() in _STATES,
                word.lower() in _NAMERS,
                word.isspace(),
                VARIABLE in word and word != VARIABLE,
                any(letter.isalpha() for letter in word),
            )
            for word in self.words
        ]
        table = np.array(flags, bool)
        self.is_word, self.is_state, self.is_namer, self.is_space, self.holds_variable, self.has_letter = (
            table.T
        )


def _values(vocabulary: _Vocabulary, rows: Matrix, column: int, group: Matrix) -> Matrix:
    """A word around a variable ("LOCAL(<*>)") is a value where a bare variable occurs in its place."""
    here = rows[:, column]
    bare = np.bincount(group, here == vocabulary.variable) > 0
    holds = vocabulary.holds_variable[here] & (vocabulary.has_letter[rows].sum(1) >= 2)
    return np.where(holds & bare[group], 1, 0)


def _alternatives(vocabulary: _Vocabulary, rows: Matrix, column: int, group: Matrix) -> Matrix:
    """A word is a value where enough other words, or a variable, occur in its place."""
    here = rows[:, column]
    plain = vocabulary.is_word[here] & ~vocabulary.is_state[here]
    others = np.bincount(group, plain).astype(np.int64)[group]
    bare = (np.bincount(group, here == vocabulary.variable) > 0)[group]
    earlier = rows[:, :column]
    named = np.zeros(len(rows), bool)
    if column >= 2:
        named = vocabulary.is_space[rows[:, column - 1]] & vocabulary.is_namer[rows[:, column - 2]]
    first = ~(vocabulary.is_word[earlier] | (earlier == vocabulary.variable)).any(1)
    needed = np.where(first, _DISTINCT_FIRST, np.where(named, _DISTINCT_NAMED, _DISTINCT))
    told = plain & (vocabulary.is_word[rows].sum(1) >= 2)
    return np.where(told & ((others >= needed) | bare), others, 0)


def _merged(texts: list[str], splitter: re.Pattern[str], judge: _Judge) -> list[str]:
    """The texts with words made variables where texts of equal length differ in that one word only."""
    split = [splitter.findall(text) for text in texts]
    vocabulary = _Vocabulary(word for words in split for word in words)
    by_length: dict[int, list[int]] = {}
    for k, words in enumerate(split):
        by_length.setdefault(len(words), []).append(k)
    merged = list(texts)
    for length, members in sorted(by_length.items()):
        if len(members) < 2 or not length:
            continue
        rows: Matrix = np.array([[vocabulary.number[word] for word in split[k]] for k in members], np.int64)
        for k, row in zip(members, _generalised(vocabulary, rows, judge), strict=True):
            merged[k] = "".join(vocabulary.words[word] for word in row)
    return merged


def _generalised(vocabulary: _Vocabulary, rows: Matrix, judge: _Judge) -> Matrix:
    """Rows in which, a few rounds long, each row's clearest value becomes the variable.

    Leave-one-out: rows are in one group when the hash of all their words but one is equal. A row's hash is a sum of one
    number a word and place, so leaving a place out is a subtraction.
    """
    for _ in range(_ROUNDS):
        distinct, back = np.unique(rows, axis=0, return_inverse=True)
        back = back.reshape(-1)
        hashed = mixed(
            distinct.astype(np.uint64) * np.uint64(distinct.shape[1])
            + np.arange(distinct.shape[1], dtype=np.uint64)
        )
        whole = hashed.sum(1, dtype=np.uint64)
        best = np.zeros(len(distinct), np.int64)
        place = np.full(len(distinct), -1)
        for column in range(distinct.shape[1]):
            _, group = np.unique(whole - hashed[:, column], return_inverse=True)
            strength = judge(vocabulary, distinct, column, group.reshape(-1))
            better = (strength > 0) & (strength >= best)
            best, place = np.where(better, strength, best), np.where(better, column, place)
        chosen = np.flatnonzero(place >= 0)
        if not len(chosen):
            break
        distinct[chosen, place[chosen]] = vocabulary.variable
        rows = distinct[back]
    return rows


def mixed(values: Any) -> Any:
    """A well-spread 64-bit number for each value (the finaliser of SplitMix64, Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        values = (values + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


# -------------------------------------------------------------------------------------------------------------- table


@dataclass(frozen=True, slots=True)
class PatternTable:
    """Which signature belongs to which pattern, numbered in sorted order of the patterns.

    Made from the signatures of all blocks at once (`PatternTable.of`), or from the tables of blocks (`merge`): the answer is
    the same, whatever the order. Beyond `MOST` signatures those with the largest hash are `OTHER`: which ones does not
    depend on the order either.
    """

    patterns: tuple[str, ...]
    ids: dict[str, int]

    @classmethod
    def of(cls, kinds: Iterable[str]) -> PatternTable:
        """The table of these signatures, in whatever order and number they come."""
        known = sorted(set(kinds))
        rest: list[str] = []
        if len(known) > MOST:
            rank = np.argsort(mixed(np.array([_digest(kind) for kind in known], np.uint64)), kind="stable")
            rest = [known[k] for k in sorted(rank[MOST:])]
            known = [known[k] for k in sorted(rank[:MOST])]
        texts = templates(known) + [OTHER] * len(rest)
        patterns = sorted(set(texts))
        number = {pattern: k for k, pattern in enumerate(patterns)}
        return cls(
            tuple(patterns), {kind: number[text] for kind, text in zip(known + rest, texts, strict=True)}
        )

    @classmethod
    def merge(cls, tables: Iterable[PatternTable]) -> PatternTable:
        """The table of all their signatures together."""
        return cls.of(kind for table in tables for kind in table.ids)

    def pattern(self, signature: str) -> str:
        """The pattern of a signature; `OTHER` when the table has not seen it."""
        k = self.ids.get(signature)
        return OTHER if k is None else self.patterns[k]


def _digest(text: str) -> int:
    import hashlib

    return int.from_bytes(
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
    )
