"""Every text in the sources that names a command is here, with the test of test_hints.py that runs it, or why none does."""

import re

import test_hints
from conftest import ROOT

# Of C++: comments, characters, texts.
TOKEN = re.compile(r"//[^\n]*|'(?:\\.|[^'\\\n])'|\"((?:\\.|[^\"\\\n])*)\"")
COMMAND = re.compile(
    r"\b(?:trims (?:add|ls|show|rm|status|verify|policy|pin|unpin|prefetch|evict|demote|keep-alive|drain|alias|rollback|push|top|explain|events|trace|doctor|version)\b|trimsd (?:&|--)|: trimsd $|hf download|git -C|ls -l|TRIMSD=|"
    r"(?:apt|chmod|chown|curl|cp|export|kill|mkdir -p|mv|pip|rm|sudo|sysctl|systemctl|ulimit|unset) )"
)

SENTENCE = "a sentence that names a command, or a part of one"
FORM = "a form to fill in: what is missing nobody but the caller knows"
MACHINE = "changes the machine"
MEMORY = "takes a preparation that runs out of memory"
INSIDE = "a piece of other hints"

# X: a value that is put in.
HINTS = {
    # Models.
    "trims add {reference} PREFIX-{epoch:04d}.params": FORM,
    "trims add {prefix} PREFIX-0000.params, with PREFIX-symbol.json beside it": FORM,
    "pip install mxnet==1.9.1": MACHINE,
    "trims add NAME PREFIX-0000.params": FORM,
    "trims add NAME PREFIX-0000.params, with PREFIX-symbol.json beside it": FORM,
    "trims add X X --variant ": "test_the_variant_that_was_not_made",
    "trims add X ": INSIDE,
    "trims add …": INSIDE,
    "trims add … --precision ": "test_a_precision_that_there_is",
    "leave the precision away: trims add …": "test_a_precision_that_there_is",
    "get it, or keep what is there: trims add … --variant files": "test_what_is_there_is_kept",
    "keep it as it is: trims add … --variant files": "test_damage_is_kept_as_files",
    "if you trust where it leads: trims add … --follow-links": "test_links_are_followed",
    "prepare less at once: trims add … --variant files": MEMORY,
    "optimising it takes more memory than trims-prepare may have: name the other variants (trims add … --variant files "
    "--variant tensors)": MEMORY,
    "trims add … --variant files --variant ort": FORM,
    "trims add {self._reference} PATH --variant files --variant ort": FORM,
    "trims add X file:///path/of/the/model": FORM,
    "trims add X[:version]": FORM,
    r"No models yet. Add one:\n  trims add NAME model.onnx     (or .safetensors, .gguf, .params, or a folder)\n": FORM,
    "trims add {name} {shlex.quote(os.path.join('.', path) if path.startswith('-') else path)}": "test_a_path_in_python_is_added",
    "), or first: trims rm ": "test_other_content_takes_the_place",
    "put the files back as they were, or: trims rm X, and add it again": "test_other_content_takes_the_place",
    "' back, or trims rm the model and add it again": SENTENCE,
    "trims rm and trims add": SENTENCE,
    "trims show X:": "test_what_there_is_is_shown",
    "trims ls shows what there is": SENTENCE,
    "it has no ort variant (trims show says why)": SENTENCE,
    "wait for some of them: trims status": SENTENCE,
    "close models that are in use (trims status shows them), ": SENTENCE,
    "evict it there first (trims status shows which device has it)": SENTENCE,
    "trims trace --help": "test_what_trace_takes_is_shown",
    "trims trace combine FILES… --out FILE": FORM,
    "name Chrome traces, such as trims trace record writes": SENTENCE,
    "trims trace record": SENTENCE,
    # What stays, and aliases.
    "trims unpin ": "test_a_pin_is_taken_away",
    "trims unpin one of them, or ": SENTENCE,
    "trims evict X --when-idle": "test_what_is_open_goes_later",
    "trims pin X, or trims keep-alive X 10m": SENTENCE,
    "trims keep-alive ": "test_a_name_is_kept_alive",
    "close models of that namespace, or raise bytes= of its quota: trims policy --quota": SENTENCE,
    "raise bytes= of its quota: trims policy --quota": SENTENCE,
    "close models that are not needed any more, or raise leases= of its quota: trims policy --quota": SENTENCE,
    "open it again in a moment, or raise loads-per-minute= of its quota: trims policy --quota": SENTENCE,
    "open it again when one of them is done, or raise loads= of its quota: trims policy --quota": SENTENCE,
    "guarantee less, or raise the budget: --host-budget, trims policy --budget SIZE": SENTENCE,
    "raise the budget: trims policyX --budget SIZE (from the start: trimsd --": SENTENCE,
    "trims policy --quota 'X'": SENTENCE,
    "10m, 0, forever, or default: as trims policy --reclaim has itX": SENTENCE,
    "trims evict ": INSIDE,
    "what is resident goes with the daemon; with trimsd --keeper process it stays": SENTENCE,
    r": as the policies of the tiers have it (trims policy)\n": SENTENCE,
    "trims policy --tier disk --budget SIZE": FORM,
    ": trimsd --pressure auto may use it": SENTENCE,
    "not to be had, so that trimsd --pressure auto lets nothing go: ": SENTENCE,
    "open it at another daemon, or let this one serve again: trims drain --off": "test_a_drain_is_ended",
    "the daemon serves again: trims drain --off": SENTENCE,
    "trims drain --off": "test_a_drain_is_ended",
    "trims drain --wait": SENTENCE,
    "no new leases; trims drain --off ends that": SENTENCE,
    "give another name, or first: trims alias --delete ": "test_an_alias_gives_its_name_back",
    "trims alias --delete X forgets the alias alone": SENTENCE,
    "move it on (trims alias X=REFERENCE), or forget it: trims alias --delete ": "test_what_an_alias_means_goes_after_it",
    "add it again, or move the alias on: trims alias X=REFERENCE": FORM,
    "trims alias X=REFERENCE makes it": FORM,
    "trims alias X=REFERENCE moves it": FORM,
    "trims alias shows what there is": SENTENCE,
    r"No aliases yet. Make one:\n  trims alias prod=NAME:VERSION\n": FORM,
    r"warning: variant {} can't be opened here: it takes {} bytes, and the host budget is {} bytes (trimsd --host-budget)\n": SENTENCE,
    # Downloads.
    "hf download ": "test_the_hub_is_asked",
    "run the same hf download again: it goes on where it stopped": SENTENCE,
    "run 'trims add' again when the files are complete": SENTENCE,
    "if you trust its configuration, which this runs: git -C X lfs pull": "test_a_pointer_is_completed",
    "trims add downloads it": SENTENCE,
    "name it by https://, or unset HF_TOKEN": SENTENCE,
    "name the authority that signed it: export CURL_CA_BUNDLE=FILE for trimsd": SENTENCE,
    "unset it where the daemon is started, or add from the hub's cache: hf-cache:ORG/NAME": SENTENCE,
    "push it again from where it was prepared: trims push": SENTENCE,
    "mend it, and push again: trims verify ": SENTENCE,
    "wait until that has ended: trims status": SENTENCE,
    # The daemon.
    "sudo sysctl kernel.io_uring_disabled=0, or let the container's seccomp profile allow io_uring_setup(2)": MACHINE,
    "start one: trimsd ": "test_a_daemon_is_started",
    "start one: trimsd &": "test_a_daemon_is_started",
    "mkdir -p ": "test_folders_are_made",
    "mv X X.old": "test_a_file_in_the_place_of_the_data_goes",
    "kill {}": "test_a_daemon_whose_data_is_gone_ends",
    "rm ": "test_what_is_no_socket_goes",
    "trims doctor": "test_what_is_no_socket_goes",
    "chmod go-w ": "test_a_folder_that_others_may_write_is_closed",
    "chmod 600 ": "test_a_token_that_others_may_read_is_closed",
    "trims status": "test_a_daemon_is_started",
    "TRIMSD=/path/to/trimsd": FORM,
    "install trimsd, or TRIMSD=/path/to/trimsd": FORM,
    "use that one (trims status), stop it, or name another place: --socket PATH": SENTENCE,
    "join the group that owns it: ls -l ": SENTENCE,
    "compare 'trims version' with the version in the daemon's log": SENTENCE,
    "check that the folder exists and that the daemon's user may write it: ls -ld ": SENTENCE,
    "move the data folder away (mv X X.old) and add the models again, or ": SENTENCE,
    "restore X, or remove the folder to start anew (rm -r X)": SENTENCE,
    "stop trimsd and restore the file, or move it away (mv X X.damaged), remove the folder of prepared models beside it and "
    "add the models again": SENTENCE,
    "run the command as that user (sudo -u)": SENTENCE,
    r"X (try: trimsd --help)\n": SENTENCE,
    r"trimsd: X (try: trimsd --help)\n": SENTENCE,
    "The trims-prepare to run for `trims add`XPATH": SENTENCE,
    # The machine.
    "chmod ": "test_a_file_is_made_readable",
    "sudo ": MACHINE,
    "ulimit -n {}": "test_a_limit_is_raised",
    "ulimit -u": SENTENCE,
    "raise ulimit -n": SENTENCE,
    "raise the limit on processes (ulimit -u, pids.max) or free memory": SENTENCE,
    "raise the limit on open files (ulimit -n, systemd: LimitNOFILE=)": SENTENCE,
    "raise the hard limit (ulimit -Hn, systemd: LimitNOFILE=)": SENTENCE,
    "look what is in it: ls -lA": SENTENCE,
    "unpacking {self._dtype} needs ml_dtypes (try: pip install ml_dtypes)": MACHINE,
    "remove models (trims ls shows them), or raise the budget: trims policy --tier disk --budget SIZE": SENTENCE,
    "free some, or give trimsd a budget that fits: trimsd --host-budget 256MiB": SENTENCE,
    "scripts/setup, or trimsd --onnxruntime-library PATH": FORM,
    "; trims doctor says how to get more": SENTENCE,
    "echo advise | sudo tee /sys/kernel/mm/transparent_hugepage/shmem_enabled": MACHINE,
    "install a newer kernel: sudo apt install linux-image-amd64": MACHINE,
    "sudo apt install bubblewrap": MACHINE,
    "sudo sysctl user.max_user_namespaces=15000": MACHINE,
    "sudo sysctl vm.max_map_count={}": MACHINE,
    "sudo sysctl vm.nr_hugepages={}": MACHINE,
    "sysctl vm.nr_hugepages=1024": MACHINE,
    "raise the limit of open files (ulimit -n)": MACHINE,
}


def between(code):
    """Of two literals: nothing where they are one text, X for a value that is put in, a new line where they are two texts."""
    code = code.replace("::", "")
    return "" if not code.strip() else "\n" if re.search("[,;?:{}]", code) else "X"


def texts(source):
    """The texts of C++."""
    text, code, at = "", "", 0
    for token in TOKEN.finditer(source):
        code, at = code + source[at:token.start()], token.end()
        if token[1] is not None:
            text, code = text + between(code) + token[1], ""
    return text.split("\n")


def python_texts(source):
    return re.findall(r'"((?:\\.|[^"\\\n])*)"', re.sub('""".*?"""', "", source, flags=re.DOTALL))


def commands():
    found = set()
    for folder in ("src", "adapters", "python/src"):
        for path in (ROOT / folder).rglob("*.*"):
            read = {".cc": texts, ".h": texts, ".py": python_texts}.get(path.suffix)
            found |= {text for text in read(path.read_text()) if COMMAND.search(text)} if read else set()
    return found


def test_texts_are_found():
    assert texts('f(a, "trims rm " + Of(x) + " now");  // "c"\ng("b" "d", \'"\', "e");') == ["", "trims rm X now", "bd", "e"]


def test_each_command_that_a_text_names_is_run_or_said_why_not():
    assert commands() - set(HINTS) == set(), "new: run them in test_hints.py and enter them here"
    assert set(HINTS) - commands() == set(), "gone"


def test_each_test_that_is_named_is_one():
    reasons = {SENTENCE, FORM, MACHINE, MEMORY, INSIDE}
    assert not {how for how in HINTS.values() if how not in reasons and not callable(getattr(test_hints, how, None))}
