# SPDX-License-Identifier: Apache-2.0
"""The events that the source can log, read from its calls of log_event: name, levels, and fields with their JSON types."""
import re

# The letters of json_pack (server/log/log.h): the type of the value, and whether the field is always there.
LETTERS = {"s": ("string", True), "s?": (["string", "null"], True), "s*": ("string", False), "i": ("integer", True),
           "I": ("integer", True), "f": ("number", True), "b": ("boolean", True)}


def arguments(text):
    """The arguments of a call, from behind its opening bracket."""
    found, piece, depth, in_text = [], "", 0, False
    for at, letter in enumerate(text):
        in_text ^= letter == '"' and text[at - 1] != "\\"
        depth += 0 if in_text else (letter in "([{") - (letter in ")]}")
        if depth < 0:
            return found + [piece.strip()]
        if letter == "," and depth == 0 and not in_text:
            found.append(piece.strip())
            piece = ""
        else:
            piece += letter
    raise ValueError("a call without its end")


def read_call(given, text):
    """(event, levels, {field: (type, is always there)}) of log_event(log, level, event, format, name, value, ...)
    text: the file, whose levels are meant where the call names a variable."""
    levels = {level.lower() for level in re.findall(r"LOG_LEVEL_(\w+)", given[1] if "LOG_" in given[1] else text)}
    letters = re.findall(r"s:([a-zA-Z][?*]?)", given[3])
    names = [name.strip('"') for name in given[4::2]]
    if len(letters) != len(names):
        raise ValueError(f"{given[2]}: {len(letters)} fields in the format, {len(names)} behind it")
    return given[2].strip('"'), levels, {name: LETTERS[letter] for name, letter in zip(names, letters)}


def logged(root):
    """{event: {"levels": set, "fields": {name: type}, "required": set}} of all calls in server/."""
    events = {}
    for path in sorted((root / "server").rglob("*.c")):
        if path.name == "log.c":
            continue
        text = path.read_text()
        for call in re.finditer(r"\blog_event\(", text):
            name, levels, fields = read_call(arguments(text[call.end():]), text)
            always = {field for field, (_, is_there) in fields.items() if is_there}
            known = events.setdefault(name, {"levels": set(), "fields": {}, "required": always})
            known["levels"] |= levels
            known["fields"].update({field: kind for field, (kind, _) in fields.items()})
            known["required"] &= always
    return events
