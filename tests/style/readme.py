#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that what the Markdown files name exists: every path, link and document, every command and option of
vgg-infer and of the repository's scripts, and as many malicious files as they count.

    readme.py SOURCE_ROOT VGG_INFER [MALICIOUS]

MALICIOUS is the number of malicious files, which takes most of a second to find out: all of them are made for it.
Code is taken from fenced blocks, indented blocks and code spans. In it, what follows `vgg-infer` must be an
operand, a command, or an option of the command that the line calls. An option on its own, in code or in
prose, must be vgg-infer's or that of a script in the document's own folder."""
import functools
import pathlib
import re
import shlex
import subprocess
import sys
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

root, program = pathlib.Path(sys.argv[1]), sys.argv[2]
FOLDERS = "examples|include|models|src|tests|tools"
# Programs of others, whose options are not looked at.
EXTERNAL = {"apt-get", "cc", "clang-format", "clang-tidy", "cppcheck", "docker", "flock", "gcc", "git", "meson", "ninja",
            "perf", "pip", "pkg-config", "python3", "scp", "ssh", "sudo", "taskset"}
# Files that are not in the sources.
OTHER_FILES = {"stddef.h", "stdint.h"}
LONG_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]")


@functools.lru_cache(maxsize=None)
def get_help(*command):
    """What `vgg-infer COMMAND --help` prints; for a word that is not a command, the general help."""
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=False).stdout


def is_command(word):
    return word == "help" or get_help(word) != get_help()


def parse_options(text):
    """The long and short options in a help text."""
    return set(LONG_OPTION.findall(text)) | set(re.findall(r"(?<=\s)-[A-Za-z](?=,)", text))


@functools.lru_cache(maxsize=None)
def find_options(command):
    """The options of a command; without one the program classifies, and has general options."""
    return parse_options(get_help(command)) if command else parse_options(get_help("classify") + get_help())


@functools.lru_cache(maxsize=None)
def find_all_options():
    words = re.findall(r"^  ([a-z]+)", get_help(), re.MULTILINE)
    return find_options("").union(*(find_options(word) for word in words if is_command(word)))


@functools.lru_cache(maxsize=None)
def find_script_options(folder):
    """Every option that occurs in a script of a folder; the root's own are none."""
    found = set()
    if folder != root:
        for file in folder.rglob("*"):
            if file.suffix in (".py", ".sh") or file.parent.name == "bench" and file.suffix == ".c":
                found |= set(LONG_OPTION.findall(file.read_text(encoding="utf-8")))
    return found


def split_code(text):
    """(code, prose): the lines of blocks and the contents of spans; all else."""
    code, prose, fenced = [], [], False
    for line in text.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            code.append(line.strip())
        else:
            code += [span for _, span in re.findall(r"(`+)(.+?)\1", line)]
            prose.append(re.sub(r"(`+).+?\1", "", line))
    return code, prose


def split_commands(line):
    """The commands of a line of shell, as lists of words, without comments and assignments."""
    line = re.sub(r"^\$ |(^|\s)#.*$", "", line)
    for part in re.split(r"&&|\|\|?|;|\)", line):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        while words and (re.match(r"[A-Z_]+=", words[0]) or words[0] in ("sudo", "env")):
            words = words[1:]
        if words:
            yield words


def find_script(readme, word):
    for place in (root / word, readme.parent / word):
        if place.is_file() and place.suffix in (".py", ".sh"):
            return place
    return None


def find_words_options(words):
    return [word.split("=")[0] for word in words if re.match(r"--[a-z]|-[A-Za-z]", word)]


def split_letters(option, known):
    """-k10 is -k; -ojson is -o."""
    return option[:2] if not option.startswith("--") and option not in known else option


def check_vgg_infer(name, words):
    word = next((w for w in words if not w.startswith("-")), "")
    is_word = re.fullmatch(r"[a-z]{2,}", word) is not None and words[0] == word
    if is_word:
        check(is_command(word), f"{name}: vgg-infer has no command {word}")
    command = word if is_word and is_command(word) and word != "help" else ""
    known = find_options(command)
    for option in find_words_options(words):
        check(split_letters(option, known) in known,
              f"{name}: {f'vgg-infer {command}'.strip()} has no {option}")


def check_command(readme, name, words):
    if pathlib.PurePath(words[0]).name == "vgg-infer":
        if len(words) > 1:
            check_vgg_infer(name, words[1:])
        return
    script = find_script(readme, words[0])
    options = find_words_options(words[1:])
    if options and script is None and re.fullmatch(r"[a-z]+", words[0]) and is_command(words[0]):
        check_vgg_infer(name, words)
        return
    if script is not None:
        text = script.read_text(encoding="utf-8")
        helper = script.parent / "harness.py"
        text += helper.read_text(encoding="utf-8") if helper.is_file() else ""
        for option in options:
            check(option in text, f"{name}: {words[0]} has no {option}")
    elif words[0].startswith("-"):
        for option in find_words_options(words[:1]):
            check_bare(readme, name, option)
    elif any(option.startswith("--") for option in options):
        own = words[0].startswith(("build", "./")) or words[0] in EXTERNAL or "/" in words[0]
        check(own, f"{name}: {words[0]} takes {options[0]}, but is not a program that this test knows")


def check_bare(readme, name, option):
    known = find_all_options() | find_script_options(readme.parent)
    check(split_letters(option, known) in known, f"{name}: no command of vgg-infer has {option}")


def check_paths(readme, name, content):
    for path in sorted(set(re.findall(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*\w)", content))):
        check("NAME" in path or (root / path).exists() or (readme.parent / path).exists(),
              f"{name}: names {path}, which is not there")
        if re.search(rf"^\s*(?:\./)?{re.escape(path)}", content, re.MULTILINE) and \
                path.endswith((".sh", ".py")) and (root / path).exists():
            check((root / path).stat().st_mode & 0o111 != 0, f"{name}: {path} cannot be run")
    for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", content):
        check("://" in link or (readme.parent / link).exists(), f"{name}: links to {link}, which is not there")
    documents = {path.name for path in find_documents()}
    for document in set(re.findall(r"[\w-]+\.md\b", content)):
        check(document in documents, f"{name}: names {document}, which is not in the repository")


@functools.lru_cache(maxsize=None)
def find_file_names():
    folders = [path for path in root.iterdir() if re.match(r"[a-z]", path.name) and not path.name.startswith("build")]
    return {path.name for folder in folders for path in folder.rglob("*") if path.is_file()}


def check_file_names(name, content):
    """Source files in code spans, by name: `detect.c`, `plan/memory.c`."""
    for span in set(re.findall(r"`([\w/.-]+\.(?:c|h|inc|py|sh))`", content)):
        file = pathlib.PurePath(span).name
        check("NAME" in span or file in find_file_names() or file in OTHER_FILES,
              f"{name}: names {span}, which is not there")


def find_documents():
    top = [path for path in root.glob("*.md")]
    folders = [path for path in root.iterdir() if path.is_dir() and re.match(r"[a-z]", path.name)
               and not path.name.startswith("build")]
    return sorted(top + [path for folder in folders for path in folder.rglob("*.md")])


def check_document(readme):
    name, content = readme.relative_to(root), readme.read_text(encoding="utf-8")
    check_paths(readme, name, content)
    check_file_names(name, content)
    if readme.name == "CHANGELOG.md":
        return  # names options that were renamed
    code, prose = split_code(content)
    for line in code:
        for words in split_commands(line):
            check_command(readme, name, words)
    for line in prose:
        for option in LONG_OPTION.findall(line):
            check_bare(readme, name, option)


def count_malicious():
    sys.path.insert(0, str(root / "tests" / "crashers"))
    from run import all_cases
    return sum(case.code != 0 for case in all_cases())


def check_malicious_count(malicious):
    for name in ("README.md", "tests/crashers/README.md"):
        counts = re.findall(r"over (\d+)\s+malicious\s+and\s+corrupt\s+files", (root / name).read_text(encoding="utf-8"))
        check(len(counts) == 1 and int(counts[0]) < malicious < int(counts[0]) + 100,
              f"{name}: expected one count, 'over N malicious and corrupt files', found {counts}; there are {malicious}")


for document in find_documents():
    check_document(document)
number = int(sys.argv[3]) if len(sys.argv) > 3 else count_malicious()
check_malicious_count(number)
print(f"{number} malicious files")
sys.exit(finish())
