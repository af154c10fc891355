#!/usr/bin/env python3
"""Writes the tokens of a GGUF file as hexadecimal bytes, one a line; a special token is an empty line.

For tests that need a real vocabulary but no model: `vocabulary.py MODEL.gguf > vocabulary.hex`.
"""

import struct
import sys

STRING, ARRAY = 8, 9
SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
NORMAL = 1


def scalar(file, form):
    form = "<" + form
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def string(file):
    return file.read(scalar(file, "Q")).decode("utf-8", "surrogateescape")


def value(file, kind):
    if kind == STRING:
        return string(file)
    if kind == ARRAY:
        inner, length = scalar(file, "I"), scalar(file, "Q")
        return [value(file, inner) for _ in range(length)]
    return scalar(file, SCALARS[kind])


def metadata(path):
    with open(path, "rb") as file:
        if file.read(4) != b"GGUF":
            sys.exit(f"error: {path} is not a GGUF file")
        scalar(file, "I")  # version
        scalar(file, "Q")  # tensors
        found = {}
        for _ in range(scalar(file, "Q")):
            key = string(file)
            found[key] = value(file, scalar(file, "I"))
        return found


def byte_of_character():
    """GPT-2's alphabet: printable bytes stand for themselves, the others for characters from 256 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + place): byte for place, byte in enumerate(other)}


def main():
    found = metadata(sys.argv[1])
    alphabet = byte_of_character()
    tokens = zip(found["tokenizer.ggml.tokens"], found["tokenizer.ggml.token_type"], strict=True)
    for token, kind in tokens:
        print(bytes(alphabet[character] for character in token).hex() if kind == NORMAL else "")


if __name__ == "__main__":
    main()
