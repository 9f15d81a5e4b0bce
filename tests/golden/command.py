#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command from outside: exit codes, messages, formats, saved arrays, streams.

    command.py VGG_INFER SOURCE_ROOT

Runs on the bundled checkpoint and images. Ends with "N passed, N failed"; exit 77 (skipped) without
NumPy or Pillow."""
import csv
import io
import json
import os
import pathlib
import pty
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import unicodedata

try:
    import numpy as np
    from PIL import Image
except ImportError:
    print("NumPy or Pillow is not installed: skipped")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tally import check, finish  # noqa: E402

PROGRAM, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
MODEL = ROOT / "models" / "fashion_vgg8_bn.pth"
BOOT = ROOT / "models" / "images" / "ankle_boot_0.png"
BAG = ROOT / "models" / "images" / "bag_18.png"



def run(*words, code=0, env=None, **options):
    """Runs the program; its exit code is checked."""
    environment = {**os.environ, **(env or {})}
    result = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, env=environment,
                            timeout=600, **options)
    check(result.returncode == code, f"exit code of {words}: expected {code}, "
          f"got {result.returncode}", result.stderr)
    return result


def expect_error(words, code, *parts):
    """The program must end with this code, nothing on stdout and these words on stderr."""
    result = run(*words, code=code)
    text = result.stderr.decode()
    check(result.stdout == b"", f"{words}: nothing on standard output", result.stdout)
    for part in parts:
        check(part in text, f"{words}: '{part}' on standard error", text)


# --- usage and messages ---

def test_usage(folder):
    expect_error([], 2, "no IMAGE given", "see vgg-infer help\n")
    expect_error([MODEL], 2, "no IMAGE given after the checkpoint")
    expect_error(["-m", MODEL], 2, "no IMAGE given")
    expect_error(["--lables", "x", BOOT], 2, "did you mean --labels?")
    expect_error(["-k", "0", MODEL, BOOT], 2, "from 1 to")
    expect_error(["--preset", "imagnet", MODEL, BOOT], 2, "imagnet", "imagenet")
    expect_error(["--isa", "neon" if os.uname().machine == "x86_64" else "avx2", MODEL, BOOT], 2,
                 "this CPU or this build has no")
    text = folder / "notes.txt"
    text.write_text("neither an image nor a checkpoint")
    expect_error([text], 2, "expected a JPEG or PNG, found text", "IMAGE after it")
    expect_error(["compare", MODEL], 2, "MODEL and FOLDER")
    expect_error(["compare", MODEL, folder, "-f", "csv"], 2, "text or json")
    for word in ("--help", "-h"):
        help_text = run(word).stdout.decode()
        check("Usage: vgg-infer" in help_text and "compare" in help_text, word, help_text)
    check(b"--nodes" in run("compare", "--help").stdout, "compare --help")
    check(run("--version").stdout.startswith(b"vgg-infer "), "--version")


def get_writes(*words, code):
    """What the program writes to standard error, call by call of write."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours:
        ours.settimeout(120)
        with its:
            process = subprocess.Popen([PROGRAM, *map(str, words)], stdout=subprocess.DEVNULL, stderr=its)
        writes = list(iter(lambda: ours.recv(1 << 20), b""))
    check(process.wait() == code, f"exit code of {words}: expected {code}, got {process.returncode}")
    return writes


def test_whole_messages(folder):
    """Processes that share standard error do not mix their lines: each is written at once."""
    missing = folder / ("\u20ac" * 60 + "\n" + "b" * 60 + ".jpg")
    cut = folder / "cut.png"
    cut.write_bytes(BOOT.read_bytes()[:100])
    several = {
        "images": (1, 2, [MODEL, missing, cut]),
        "images with saved arrays": (1, 4, ["--save-logits", folder / "a.npy", MODEL, missing, cut]),
        "usage": (2, 2, ["--lables", "x", BOOT]),
        "a checkpoint": (3, 1, [cut, BOOT, "-m", folder / "none.pth"]),
        "everything": (0, 1, ["--verbose", BOOT]),
    }
    for what, (code, minimum, words) in several.items():
        writes = get_writes(*words, code=code)
        check(len(writes) >= minimum, f"{what}: {minimum} messages", writes)
        for text in writes:
            check(text.startswith(b"vgg-infer: ") and text.endswith(b"\n") and text.count(b"\n") == 1,
                  f"{what}: a whole line at once", text)
    writes = get_writes("--time", MODEL, BOOT, code=0)
    check(len(writes) == 1 and writes[0].startswith(b"load ") and writes[0].endswith(b" private\n"),
          "--time: one table at once", writes)


def test_help():
    overview = run("help").stdout
    check(overview == run("--help").stdout == run(BOOT, "-h").stdout, "help and --help")
    check(b"VGG_THREADS" in overview and b"NO_COLOR" in overview, "the environment", overview)
    for command in ("classify", "eval", "info", "compare", "bench", "pack", "convert"):
        text = run("help", command).stdout
        check(text == run(command, "--help").stdout and b"-o, --output FILE" in text, f"help {command}", text)
    check(run("help", "val").stdout == run("help", "eval").stdout, "help val")
    expect_error(["help", "benhc"], 2, "did you mean bench?")


def test_licenses():
    """The notices of everything that is linked, and the file that is installed."""
    text = run("--licenses").stdout.decode()
    check(text == (ROOT / "NOTICE").read_text(encoding="utf-8"), "--licenses prints NOTICE")
    parts = dict(re.findall(r"^={78}\n(.+)\n={78}\n((?:(?!={78}\n).*\n)*)", text, re.MULTILINE))
    linked = set(re.findall(r"^    dependency\('(.*)'|^  '(lib\w+|zlib)': '", (ROOT / "meson.build").read_text(), re.MULTILINE))
    names = {"libzip": "libzip", "libcjson": "cJSON", "libpng": "libpng", "libjpeg": "libjpeg-turbo", "zlib": "zlib"}
    check({name for pair in linked for name in pair if name} == set(names), "all libraries of meson.build", linked)
    for name in ("vgg-infer", "musl", *names.values()):
        check("copyright" in parts.get(name, "").lower(), f"the notice of {name}", sorted(parts))


def test_files_that_need_care(folder):
    """Files that begin with a dash, and folders where an image is expected."""
    shutil.copy(BOOT, folder / "-dash.png")
    result = run("-dash.png", code=2, cwd=folder)
    check(b"write ./-dash.png, or -- before it" in result.stderr, "a file with a dash", result.stderr)
    for words in (["./-dash.png"], ["--", "-dash.png"]):
        check(b"Ankle boot" in run(*words, cwd=folder).stdout, f"{words} is that file")
    for words, code in (([folder], 2), ([MODEL, folder], 1), (["-m", MODEL, folder, BOOT], 1)):
        result = run(*words, code=code)
        check(f"{folder}: expected an image, got a folder".encode() in result.stderr and
              f"{folder}/*.jpg".encode() in result.stderr and
              f"vgg-infer eval MODEL {folder}".encode() in result.stderr, f"{words}", result.stderr)
    result = run("bench", MODEL, folder, code=1)
    check(b"expected an image, got a folder" in result.stderr, "bench of a folder", result.stderr)


def test_environment():
    for variables, threads in (({"VGG_THREADS": "1"}, 1), ({"VGG_THREADS": "2"}, 2)):
        got = json.loads(run("-fjson", MODEL, BOOT, env=variables).stdout)["threads"]
        check(got == threads, f"{variables}", got)
    got = json.loads(run("-fjson", "-t2", MODEL, BOOT, env={"VGG_THREADS": "1"}).stdout)["threads"]
    check(got == 2, "--threads before VGG_THREADS", got)
    result = run(MODEL, BOOT, env={"VGG_THREADS": "0"}, code=2)
    check(b"VGG_THREADS: expected a number from 1 to 1024, got '0'" in result.stderr, "VGG_THREADS=0",
          result.stderr)
    foreign = "neon" if os.uname().machine == "x86_64" else "avx2"
    for isa, found in (("pentium", "expected scalar, avx2, avx512, amx or neon, got 'pentium'"),
                       (foreign, f"this CPU or build has no {foreign}, its best is ")):
        for words in ([MODEL, BOOT], ["--isa", "scalar", MODEL, BOOT], ["info", "--plan", MODEL]):
            result = run(*words, env={"VGG_ISA": isa}, code=2)
            check(f"VGG_ISA: {found}".encode() in result.stderr, f"VGG_ISA={isa} {words}", result.stderr)


def read_terminal(*words, **variables):
    """What the program writes to standard output where that is a terminal."""
    master, slave = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    with subprocess.Popen([PROGRAM, *map(str, words)], stdout=slave, stderr=subprocess.DEVNULL,
                          env={**environment, "TERM": "xterm", **variables}) as process:
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:  # EIO is the end of a terminal
            pass
        check(process.wait(60) == 0, f"{words} on a terminal", process.returncode)
    os.close(master)
    return text


def test_bold_on_a_terminal():
    bold, plain = read_terminal("info", MODEL), read_terminal("info", MODEL, NO_COLOR="1")
    check(b"\033[1m  layer" in bold and bold.count(b"\033") == 2, "bold heads of a table", bold)
    check(b"\033" not in plain and b"  layer" in plain, "NO_COLOR", plain)
    check(b"\033" not in read_terminal("info", MODEL, TERM="dumb"), "a dumb terminal")
    check(b"\033[1m" in read_terminal("info", MODEL, NO_COLOR=""), "NO_COLOR is empty")
    check(b"\033" not in run("info", MODEL).stdout, "no terminal")


def test_models(folder):
    expect_error([folder / "none.pth", BOOT], 3, "none.pth", "No such file")
    expect_error([folder, BOOT], 3)
    expect_error(["-m", BOOT, BAG], 3, "expected a checkpoint, got an image")
    text = folder / "net.pth"
    text.write_text("<html>404</html>")
    expect_error([text, BOOT], 3, "net.pth")
    cut = folder / "cut.pth"
    cut.write_bytes(MODEL.read_bytes()[:1000000])
    expect_error([cut, BOOT], 3, "cut.pth")
    expect_error(["--labels", folder / "no-labels", MODEL, BOOT], 3, "no-labels")
    wrong = folder / "vgg-00000000.pth"
    shutil.copy(MODEL, wrong)
    shutil.copy(MODEL.with_suffix(".json"), wrong.with_suffix(".json"))
    expect_error(["--verify", wrong, BOOT], 3, "00000000")
    run(wrong, BOOT)
    result = run("--verify", MODEL, BOOT)
    check(b"verified by the archive's own CRC-32 only" in result.stderr, "--verify without a prefix",
          result.stderr)
    check(b"members verified" in result.stdout, "--verify reports what it compared", result.stdout)
    changed = folder / "changed.pth"  # one bit of a weight
    data = bytearray(MODEL.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    shutil.copy(MODEL.with_suffix(".json"), changed.with_suffix(".json"))
    run(changed, BOOT)
    expect_error(["--verify", changed, BOOT], 3, "CRC error")


def test_bundled(folder):
    result = run(BOOT, BAG)
    check(b"using the bundled" in result.stderr, "says which net it uses", result.stderr)
    check(result.stdout.count(b"Ankle boot") == 1 and result.stdout.count(b"Bag") == 2,
          "both images are classified", result.stdout)
    result = run(folder / "none.jpg", code=1)
    check(b"none.jpg" in result.stderr and b"No such file" in result.stderr, "a missing image",
          result.stderr)
    expect = run(BOOT, env={"VGG_MODELS": str(folder)}, code=3).stderr
    check(b"VGG_MODELS" in expect, "an empty VGG_MODELS", expect)
    run(BOOT, env={"VGG_MODELS": str(MODEL.parent)})
    installed = folder / "usr"
    (installed / "bin").mkdir(parents=True)
    models = installed / "share" / "vgg-infer" / "models"
    models.mkdir(parents=True)
    shutil.copy(PROGRAM, installed / "bin")
    shutil.copy(MODEL, models)
    shutil.copy(MODEL.with_suffix(".json"), models)
    result = subprocess.run([installed / "bin" / PROGRAM.name, BOOT], capture_output=True)
    check(str(models).encode() in result.stderr, "an installed tree", result.stderr)
    expect_error([BOOT, MODEL], 2, "expected an image, got a checkpoint; name MODEL before the images")
    result = run("--model", MODEL, BOOT, MODEL, code=1)
    check(b"name MODEL before" in result.stderr, "a checkpoint among images", result.stderr)


# --- results ---

def reference():
    """The five most probable classes of BOOT, as JSON."""
    return json.loads(run("-f", "json", MODEL, BOOT).stdout)["results"][0]["top"]


def test_formats(folder):
    bad = folder / "bad,\n\".jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0 cut")
    words = [MODEL, BOOT, bad, BAG]
    top = reference()
    check(top[0]["label"] == "Ankle boot" and len(top) == 5, "the reference", top)

    document = json.loads(run("--format=json", *words, code=1).stdout)
    check(document["schema"] == 2 and document["failed"] == 1, "json: totals", document)
    check([len(r.get("top", [])) for r in document["results"]] == [5, 0, 5], "json: results")
    check(document["results"][1]["image"] == str(bad) and
          document["results"][1]["error"]["message"] != "", "json: the error record")
    check(document["model"]["classes"] == 10 and document["threads"] >= 1, "json: the model")

    lines = run("--format", "jsonl", "-k2", *words, code=1).stdout.decode().splitlines()
    records = [json.loads(line) for line in lines]
    check(len(records) == 3 and all(r["schema"] == 2 for r in records), "jsonl: three lines", lines)
    check(records[0]["top"] == top[:2] and "error" in records[1], "jsonl: same numbers as json")

    result = run("-fcsv", "-k", "5", *words, code=1)
    rows = list(csv.DictReader(io.StringIO(result.stdout.decode(), newline="")))
    check(len(rows) == 11, "csv: rows", rows)
    check([r["label"] for r in rows[:5]] == [t["label"] for t in top], "csv: labels")
    check([float(r["logit"]) for r in rows[:5]] == [t["logit"] for t in top], "csv: logits")
    check(rows[5]["image"] == str(bad) and rows[5]["error"] and not rows[5]["rank"], "csv: error")

    result = run(*words, code=1)
    check(b": failed" in result.stdout and b"bad," in result.stderr, "text: error")
    check(result.stdout.count(b"\n") == 2 + 7 + 2 + 7, "text: no name breaks a line", result.stdout)

    whole = run("-k100", "-fjson", MODEL, BOOT).stdout
    check(len(json.loads(whole)["results"][0]["top"]) == 10, "-k beyond the classes")
    output = folder / "out.json"
    check(run("-fjson", "-o", output, MODEL, BOOT).stdout == b"", "--output")
    check(json.loads(output.read_text())["results"][0]["top"] == top, "--output: same results")


def test_labels(folder):
    labels = folder / "labels.txt"
    labels.write_text("\n".join(f"Größe {i}" for i in range(10)) + "\n", encoding="utf-8")
    result = run("-l", labels, "-fjson", MODEL, BOOT)
    top = json.loads(result.stdout)["results"][0]["top"]
    check(top[0]["label"] == "Größe 9", "--labels", top)
    labels.write_text("one\ntwo\n")
    expect_error(["-l", labels, MODEL, BOOT], 3, "labels.txt")


def test_locale():
    """A decimal comma anywhere would show."""
    plain = run("-fcsv", MODEL, BOOT, env={"LC_ALL": "C"}).stdout
    for locale in ("de_DE.UTF-8", "de_DE", "fr_FR.UTF-8"):
        check(run("-fcsv", MODEL, BOOT, env={"LC_ALL": locale}).stdout == plain, locale)


def test_sources(folder):
    top = reference()
    result = run("-fjson", MODEL, "-", stdin=open(BOOT, "rb"))
    check(json.loads(result.stdout)["results"][0]["top"] == top, "an image from standard input")
    result = run("-fjson", "-", stdin=open(BOOT, "rb"))
    check(json.loads(result.stdout)["results"][0]["top"] == top, "the same with the bundled net")
    run("-fjson", MODEL, "-", code=1, stdin=subprocess.DEVNULL)
    pipe = subprocess.run(f'"{PROGRAM}" -fjson <(cat "{BOOT}")', shell=True,
                          executable="/bin/bash", capture_output=True)
    check(pipe.returncode == 0 and json.loads(pipe.stdout)["results"][0]["top"] == top,
          "an image from a pipe", pipe.stderr)
    disguised = folder / "boot.pth"
    shutil.copy(BOOT, disguised)
    check(json.loads(run("-fjson", disguised).stdout)["results"][0]["top"] == top,
          "an image by its content")
    result = run("-fjson", "-m", MODEL, "-i", BAG, BOOT)
    names = [r["image"] for r in json.loads(result.stdout)["results"]]
    check(names == [str(BAG), str(BOOT)], "-m and -i", names)
    for options in (["-t1"], ["-t2"], ["-t3"], ["--isa", "auto"]):
        result = run(*options, "-fjson", MODEL, BOOT)
        check(json.loads(result.stdout)["results"][0]["top"] == top, f"{options}: same numbers")


def test_streams(folder):
    many = [BOOT] * 2000
    process = subprocess.Popen([PROGRAM, MODEL, *many], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.read(100)
    process.stdout.close()
    message = process.stderr.read()
    check(process.wait(600) != 0 and message == b"", "a reader that leaves: no word", message)
    ignoring = subprocess.run(["/bin/bash", "-c", "trap '' PIPE; \"$@\" | head -c1 >/dev/null; "
                               "exit ${PIPESTATUS[0]}", "-", PROGRAM, MODEL, *many],
                              capture_output=True)
    check(ignoring.returncode == 1 and ignoring.stderr == b"", "the same with SIGPIPE ignored",
          ignoring.stderr)
    with open("/dev/full", "wb") as full:
        result = subprocess.run([PROGRAM, MODEL, BOOT], stdout=full, stderr=subprocess.PIPE)
    check(result.returncode == 1 and b"No space left" in result.stderr, "a full disk",
          result.stderr)
    saved = folder / "closed.npy"
    result = subprocess.run(["/bin/sh", "-c", '"$@" >&-', "-", PROGRAM, "--save-logits", saved,
                             MODEL, BOOT], capture_output=True)
    check(result.returncode == 1 and not saved.exists(), "standard output is closed",
          result.stderr)


def test_saved(folder):
    logits, inputs = folder / "logits.npy", folder / "input.npy"
    small = folder / "small.png"
    Image.open(BOOT).resize((9, 40)).save(small)
    missing = folder / "missing.png"
    result = run("-fjson", "-k10", "--save-logits", logits, "--save-input", inputs, MODEL, missing,
                 BOOT, missing, small, code=1)
    check(b"NaN" in result.stderr, "rows of NaN are reported", result.stderr)
    records = json.loads(result.stdout)["results"]
    saved, fed = np.load(logits), np.load(inputs)
    check(saved.shape == (4, 10) and saved.dtype == np.float32, "the shape of logits", saved.shape)
    check(fed.shape == (4, 3, 28, 28) and fed.dtype == np.float32, "the shape of input", fed.shape)
    for row in (0, 2):
        check(np.isnan(saved[row]).all() and np.isnan(fed[row]).all(), f"row {row} is NaN")
    for row in (1, 3):
        top = records[row]["top"]
        check(all(np.float32(t["logit"]) == saved[row, t["index"]] for t in top),
              f"row {row}: the logits of the report, to the bit")
        softmax = np.exp(saved[row].astype(np.float64))
        softmax /= softmax.sum()
        check(all(abs(softmax[t["index"]] - t["probability"]) < 1e-8 for t in top),
              f"row {row}: probabilities")
    pixels = np.asarray(Image.open(BOOT).convert("RGB"), np.float32).transpose(2, 0, 1)
    expected = (pixels / np.float32(255) - np.float32(0.286)) / np.float32(0.353)
    check(np.array_equal(fed[1], expected), "the input is the image, normalised")
    expect_error(["--save-logits", folder / "no" / "x.npy", MODEL, BOOT], 1, "cannot create")


def test_sizes(folder):
    """Without a crop each size has its own session; rows of another size cannot be saved."""
    spec = json.loads(MODEL.with_suffix(".json").read_text(encoding="utf-8"))
    spec["preprocess"].update(resize=0, crop=0)
    free = folder / "free.json"
    free.write_text(json.dumps(spec))
    wide, tiny = folder / "wide.png", folder / "tiny.png"
    Image.new("RGB", (60, 31), "teal").save(wide)
    Image.new("RGB", (2, 2), "teal").save(tiny)
    saved = folder / "inputs.npy"
    result = run("--spec", free, "--save-input", saved, "-fjson", MODEL, BOOT, wide, tiny, BAG,
                 code=1)
    results = json.loads(result.stdout)["results"]
    check(["error" in r for r in results] == [False, False, True, False], "sizes", results)
    check("tiny.png" in results[2]["error"]["message"] or "tiny.png" in results[2]["image"],
          "an image too small for the pools")
    check(b"same size" in result.stderr, "another size cannot be saved", result.stderr)
    check(np.load(saved).shape == (4, 3, 28, 28), "the saved inputs")


def test_memory(folder):
    """An image that does not fit into memory fails; the next one is classified."""
    large = folder / "large.jpg"  # 256 MB of coefficients
    Image.new("RGB", (6500, 6500)).save(large, progressive=True, subsampling=0)
    limit = 200 << 20
    result = run("-t1", "-fjsonl", MODEL, large, BOOT, code=4,
                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    records = [json.loads(line) for line in result.stdout.splitlines()]
    check(["error" in r for r in records] == [True, False], "out of memory", records)
    check(records[0].get("error", {}).get("code") == "out of memory", "its code", records)


def test_time():
    result = run("--time", MODEL, BOOT)
    for part in (b"load", b"prepack", b"decode+preprocess", b"infer", b"peak memory"):
        lines = result.stdout.splitlines()  # file names, too, which may have any of these words
        check(part in result.stderr and not any(line.startswith(part) for line in lines), "--time", part,
              result.stderr)
    times = json.loads(run("--time", "-fjson", MODEL, BOOT).stdout)
    check(times["time"]["peak_bytes"] > times["time"]["peak_private_bytes"] > 0, "memory", times)
    check(times["results"][0]["time"]["infer_ms"] > 0, "the time of an image", times)


# --- bench and info ---

def test_plans():
    """Every way to convolve agrees to the rounding; what it was planned for is reported."""
    top = reference()
    for options in (["--conv", "direct"], ["--conv", "f2"], ["--conv", "f4"], ["--conv", "f6"],
                    ["--exact"], ["--plan-for", "steady"]):
        got = json.loads(run(*options, "-fjson", MODEL, BOOT).stdout)["results"][0]["top"]
        check(all(a["index"] == b["index"] and abs(a["logit"] - b["logit"]) < 1e-4
                  for a, b in zip(top, got)), f"{options}: nearly the same numbers", top, got)
    check(b"one-shot" in run("--time", MODEL, BOOT).stderr, "one image has a one-shot plan")
    check(b"steady" in run("--time", MODEL, *[BOOT] * 5).stderr, "five images have a steady plan")
    document = json.loads(run("-fjson", "--plan-for=steady", MODEL, BOOT).stdout)
    check(document["plan"] == "steady", "the plan in JSON", document)
    for options in (["--exact"], ["--conv", "exact"]):
        document = json.loads(run(*options, "-fjson", MODEL, BOOT).stdout)
        check(document["isa"] != "amx", f"{options}: no product in parts", document["isa"])


def test_bench(folder):
    """Runs are few, so that only the form is looked at, and that the layers add up."""
    expect_error(["bench", MODEL, BOOT, BAG], 2, "expected one IMAGE", "vgg-infer help bench")
    expect_error(["bench", "-t1,2", "--plot", folder / "x.png", MODEL], 2, "one configuration")
    expect_error(["bench", folder / "none.pth"], 3, "none.pth")
    words = ["bench", MODEL, BOOT, "-t", "1,2", "--batch=1,3", "--runs", "3"]
    document = json.loads(run(*words, "-fjson").stdout)
    records = document["records"]
    check(document["schema"] == 2 and len(records) == 4, "json: a record for each combination")
    check([(r["threads"], r["batch"]) for r in records] == [(1, 1), (1, 3), (2, 1), (2, 3)],
          "json: the order of combinations", [(r["threads"], r["batch"]) for r in records])
    for record in records:
        check(record["runs"] == 3 and record["precision"] == "float32", "json: runs", record)
        check(all(record[key] for key in ("version", "commit", "compiler", "machine", "isa",
                                          "conv", "plan", "input")), "json: the machine", record)
        check(0 < record["min_ms"] <= record["p50_ms"] <= record["p90_ms"] <= record["p99_ms"] <=
              record["max_ms"], "json: times in order", record)
        check(record["gflops"] > 0 and record["peak_before"]["gflops"] > 0, "json: rates", record)
        check(record["layers"][0]["name"] == "features.0" and len(record["layers"]) > 8, "json: layers")
    lines = run(*words, "-fjsonl").stdout.decode().splitlines()
    check(len(lines) == 4 and all(json.loads(line)["schema"] == 2 for line in lines), "jsonl")
    rows = list(csv.DictReader(io.StringIO(run(*words, "-fcsv").stdout.decode())))
    check([r["batch"] for r in rows] == ["1", "3"] * 2 and float(rows[0]["p50_ms"]) > 0, "csv")
    rows = list(csv.DictReader(io.StringIO(run(*words, "-fcsv", "--layers").stdout.decode())))
    check(len(rows) == 4 * len(records[0]["layers"]) and rows[0]["layer"] == "features.0",
          "csv: layers")
    text = run("bench", "--runs=3", "--layers", "--sort=time", "--conv", "direct,f4").stdout
    check(text.count(b"features.17") == 2 and text.count(b"a whole run takes") == 2 and
          b"private" in text, "text: layers and table", text)


def test_plot(folder):
    path = folder / "layers.png"
    run("bench", "--runs=3", "--conv=f4", "--plot", path, MODEL)
    image = Image.open(path)
    colors = {color for _, color in image.getcolors()}
    check(image.mode == "RGB" and image.width > 1000 and image.height > 400, "its size", image)
    check({(0x4f, 0x9a, 0x3a), (0xa2, 0x55, 0x9c), (255, 255, 255)} <= colors, "its colours", colors)
    run("bench", "--runs=3", "--plot", folder / "no" / "x.png", MODEL, code=1)


def test_layers_add_up():
    """No layer is missing. tests/bench/layers.py measures on an idle machine how exactly their times add up to the
    whole; on any they take no more than the longest run, and of the shortest at least half."""
    record = json.loads(run("bench", "-t1", "--batch=8", "--runs=40", MODEL, "-fjsonl").stdout)
    plan = json.loads(run("info", "--plan", "-t1", "-b8", MODEL, "-fjson").stdout)
    layers = record["layers"]
    check([layer["name"] for layer in layers] == [step["name"] for step in plan["plan"]["steps"]],
          "a layer for each step", layers)
    products = sum(layer["multiply_adds"] for layer in layers)
    check(products == 8 * plan["multiply_adds"], "the layers do all the work", products)
    total = sum(layer["ms"] for layer in layers)
    check(abs(record["layers_ms"] - total) <= 1e-3 * total, "layers_ms is their sum", total, record["layers_ms"])
    check(record["min_ms"] / 2 <= total <= record["max_ms"] * 1.001, "the layers take a run's time", total, record)


def test_info(folder):
    expect_error(["info"], 2, "no MODEL given")
    expect_error(["info", MODEL, BOOT], 2, "expected one MODEL")
    expect_error(["info", MODEL, "-fcsv"], 2, "text or json")
    expect_error(["info", BOOT], 3, "expected a checkpoint, got an image")
    text = run("info", MODEL).stdout
    check(b"824,810" in text and b"26.13 M" in text and b"AdaptiveAvgPool2d" in text, "text", text)
    check(not any(line.endswith(b" ") for line in text.splitlines()), "text: blanks at the end")
    document = json.loads(run("info", MODEL, "-fjson").stdout)
    check(document["parameters"] == 824810 and document["multiply_adds"] == 26134272, "json: sums")
    check(document["layers"][0] == {"name": "features.0", "type": "Conv2d",
                                    "output": [32, 28, 28], "parameters": 896,
                                    "multiply_adds": 677376, "weight_bytes": 3584}, "json: a layer",
          document["layers"][0])
    check("plan" not in document, "json: no plan that was not asked for")
    output = folder / "plan.json"
    run("info", "--plan", "-t1", "-b2", "--conv=f4", MODEL, "-fjson", "-o", output)
    plan = json.loads(output.read_text())["plan"]
    check(plan["batch"] == 2 and plan["conv"] == "f4" and plan["for"] == "steady", "json: plan")
    check(any("F(4)" in step["algorithm"] for step in plan["steps"]) and plan["run_ms"] > 0,
          "json: steps", plan)
    check(b"predicted" in run("info", "--plan", MODEL).stdout, "text: plan")


def find_keys(value):
    """All keys of a JSON value."""
    if isinstance(value, dict):
        return set(value).union(*map(find_keys, value.values()))
    return set().union(*map(find_keys, value)) if isinstance(value, list) else set()


def test_fields_are_documented(folder):
    """Every field of the JSON and CSV output is in tools/OUTPUT.md, and no old name is used."""
    packed, images = folder / "net.vgg", MODEL.parent / "images"
    calibration = run("pack", MODEL, "-o", folder / "int8.vgg", "--weights", "int8", "--calibrate", images, "--images",
                      "4", "-fjson").stdout
    run("pack", MODEL, "-o", packed)
    listing = folder / "list"
    listing.write_text("".join(f"{path.name} 0\n" for path in sorted(images.iterdir())))
    outputs = [calibration, *(run(*words, "-fjson").stdout for words in (
        ["--time", MODEL, BOOT], ["bench", "--runs=1", MODEL], ["info", "--plan", MODEL], ["info", "--tensors", packed],
        ["eval", MODEL, images, "--labels-file", listing]))]
    keys = set().union(*(find_keys(json.loads(output)) for output in outputs))
    check(all(json.loads(output)["schema"] == 2 for output in outputs), "all are of one schema")
    for words in ([], ["--layers"]):
        keys |= set(run("bench", "--runs=1", MODEL, "-fcsv", *words).stdout.decode().split("\n")[0].split(",")) - {"layer"}
    text, old = (ROOT / "tools" / "OUTPUT.md").read_text(encoding="utf-8").split("## Changes from schema 1")
    check(not [key for key in sorted(keys) if f"`{key}`" not in text], "fields that are not documented",
          [key for key in sorted(keys) if f"`{key}`" not in text])
    removed = {name.strip(" `") for line in old.splitlines() if line.startswith("| `")
               for name in line.split("|")[1].split("(")[0].split(",")}
    check(len(removed) == 8 and not removed & keys, "names of schema 1", removed & keys, removed)


def test_hidden_characters(folder):
    """No character that steers a terminal or reorders a line comes out, whatever a file is called."""
    hidden = [chr(c) for c in range(1, 0x110000) if unicodedata.category(chr(c)) in ("Cc", "Cf", "Zl", "Zp")]
    check(len(hidden) > 200, "characters", len(hidden))
    names = [os.fsencode(f"n{i}{c}é漢.png") for i, c in enumerate(hidden)] + [b"latin\xe9.png", b"cut\xe2\x80.png", b"end\xf0"]
    missing = [os.path.join(os.fsencode(folder), name) for name in names]
    for words in ([], ["-fcsv"]):
        result = subprocess.run([PROGRAM, *words, MODEL, *missing], capture_output=True)
        texts = [result.stderr.decode()] + ([result.stdout.decode()] if not words else [])
        raw = result.stdout.decode(errors="surrogateescape")
        shown = {c for text in texts + [raw] for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
        check(result.returncode == 1 and shown <= set("\n\t\r" if words else "\n"), f"hidden characters {words}", shown)
        check(all(os.fsencode("é漢.png").decode() in text for text in texts), "others stay")
    check("n0\\x01é" in texts[0] and "\\u202eé" in texts[0] and "\\u009bé" in texts[0] and "\\U000e0001é" in texts[0]
          and "latin\\xe9.png" in texts[0], "how they are shown", texts[0][:200])
    records = json.loads(run("-fjson", MODEL, *map(os.fsdecode, missing), code=1).stdout)["results"]
    check([r["image"] for r in records[:len(hidden)]] == [os.fsdecode(name) for name in missing[:len(hidden)]], "JSON is exact")


def main():
    tests = [(name, test) for name, test in globals().items() if name.startswith("test_")]
    for name, test in tests:
        with tempfile.TemporaryDirectory() as folder:
            test(*[pathlib.Path(folder)][:test.__code__.co_argcount])
    sys.exit(finish())


main()
