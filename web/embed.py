#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turn the page into C: the built assets (web/dist), the HTML in every language, and the description of the HTTP
interface. Needs no Node.

usage: web/embed.py WEB-FOLDER OUTPUT.C [DEPENDENCIES OUTPUT.D]

In an HTML file, the line {{part:NAME}} stands for web/parts/NAME.html, {{key}} is a text of web/words/LANGUAGE.json,
{{asset:NAME}} the address of an asset, @@hole@@ a place that the server fills in (server/api/page.h), and
@@option:NAME@@ ... @@end@@ is left out if the service has no such option.
"""
import hashlib
import html
import json
import re
import sys
from pathlib import Path

LANGUAGES = ("en", "zh")
PAGES = ("index", "status")
LICENCE = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
# Texts that the server itself needs.
SERVER_WORDS = re.compile(r"task\.|kept\.|network\.label|network\.hint|format\.name\.")


def literal(data):
    """Bytes as a C string, a line a line."""
    out, line = [], []
    for byte in data:
        char = chr(byte)
        if char in '"\\':
            text = "\\" + char
        elif 0x20 <= byte < 0x7f and char != "?":
            text = char
        else:
            text = f"\\{byte:03o}"
        line.append(text)
        if len(line) >= 100 or byte == 0x0a:
            out.append('"' + "".join(line) + '"')
            line = []
    if line or not out:
        out.append('"' + "".join(line) + '"')
    return "\n    " + "\n    ".join(out)


def text_literal(text):
    return literal(text.encode())


class Embedder:
    def __init__(self, folder):
        self.folder = folder
        self.read = []
        self.assets = json.loads(self.text("dist/assets.json"))
        self.words = {language: json.loads(self.text(f"words/{language}.json")) for language in LANGUAGES}

    def bytes(self, name):
        self.read.append(self.folder / name)
        return (self.folder / name).read_bytes()

    def text(self, name):
        return self.bytes(name).decode()

    def whole(self, name):
        """The HTML of a page with its parts. Their licence is that of the page, so it is not repeated."""
        return re.sub(r"^\{\{part:(\w+)\}\}\n", lambda mark: self.text(f"parts/{mark[1]}.html").removeprefix(LICENCE),
                      self.text(f"{name}.html"), flags=re.MULTILINE)

    def fill(self, text, language):
        words = self.words[language] | self.turned(language)

        def replace(match):
            key = match[1]
            if key.startswith("asset:"):
                return "assets/" + self.assets[key.removeprefix("asset:")]
            return html.escape(words[key])
        return re.sub(r"\{\{([\w.:-]+)\}\}", replace, text)

    def turned(self, language):
        """Texts about the other language."""
        other = LANGUAGES[1 - LANGUAGES.index(language)]
        return {"lang": self.words[language]["language.tag"], "other.lang": self.words[other]["language.tag"],
                "other.href": f"?lang={other}", "other.name": self.words[other]["language.name"]}

    def page(self, name, language):
        pieces = re.split(r"@@([\w:]+)@@", self.fill(self.whole(name), language)) + ["last"]
        rows, option = "", "NULL"
        for text, mark in zip(pieces[::2], pieces[1::2]):
            hole = "NONE" if mark == "end" or mark.startswith("option:") else "END" if mark == "last" else mark.upper()
            rows += f"    {{{text_literal(text)}, PAGE_{hole}, {option}}},\n"
            option = f'"{mark.removeprefix("option:")}"' if mark.startswith("option:") else "NULL" if mark == "end" else option
        return f"static const page_part {name}_{language}[] = {{\n{rows}}};\n"

    def words_of(self, language):
        rows = "".join(f"    {{{text_literal(key)}, {text_literal(text)}}},\n"
                       for key, text in self.words[language].items() if SERVER_WORDS.match(key))
        return f"static const page_word words_{language}[] = {{\n{rows}    {{NULL, NULL}},\n}};\n"

    def asset(self, name):
        plain = self.bytes(f"dist/{name}")
        tag = hashlib.sha256(plain).hexdigest()[:32]
        forms = ", ".join(f"{{{literal(data)}, {len(data)}}}" for data in
                          (plain, self.bytes(f"dist/{name}.gz"), self.bytes(f"dist/{name}.br")))
        return f'    {{"{name}", "{TYPES[name.rsplit(".", 1)[1]]}", "{tag}", {{{forms}}}}},\n'

    def source(self):
        interface = json.dumps(json.loads(self.text("openapi.json")), separators=(",", ":"))
        names = sorted(self.assets.values())
        languages = ", ".join(f'{{"{language}", "{self.words[language]["language.tag"]}", index_{language}, '
                              f"status_{language}, words_{language}}}" for language in LANGUAGES)
        return ("/* Made by web/embed.py. */\n#include \"api/page.h\"\n\n"
                + "".join(self.page(name, language) for name in PAGES for language in LANGUAGES)
                + "".join(self.words_of(language) for language in LANGUAGES)
                + f"const page_language page_languages[PAGE_LANGUAGES] = {{{languages}}};\n"
                + "const page_asset page_assets[] = {\n" + "".join(self.asset(name) for name in names) + "};\n"
                + f"const size_t page_asset_count = {len(names)};\n"
                + f"const char page_openapi[] = {text_literal(interface)};\n")


def main():
    embedder = Embedder(Path(sys.argv[1]))
    Path(sys.argv[2]).write_text(embedder.source())
    if len(sys.argv) > 3:
        Path(sys.argv[3]).write_text(f"{sys.argv[2]}: " + " ".join(map(str, embedder.read)) + "\n")


if __name__ == "__main__":
    main()
