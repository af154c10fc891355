#!/usr/bin/env python3
"""Scores an OpenAI-compatible endpoint with the Berkeley Function Calling Leaderboard (BFCL).

Cases, tools, decoding and checks are those of the package `bfcl-eval`: its Chat Completions handler asks the endpoint through
the `openai` client, and the functions of its own evaluation say what is right. Ours is only what is around that: which cases,
where answers are kept, and the table.

Cases are parted for good by their id: those whose sha256 begins with a byte below 0x40 are for tuning, the rest are the test.

    run.py --base-url http://127.0.0.1:7480/v1 --model silverback --part tune --sample 50 --out target/bfcl
"""

import argparse
import atexit
import hashlib
import importlib.metadata
import json
import math
import os
import shutil
import sys
import tempfile
import threading
import time
import types
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

# Under this name the endpoint is in BFCL's table of models (no underscore: BFCL takes one for a slash).
REGISTERED = "endpoint"


def prepare_bfcl():
    """Lets `bfcl_eval` be imported without the clients of forty vendors.

    Its table of models imports all of them, and its checker asks that table one thing: whether dots in the names of functions
    became underscores. The table of one model stands in for it. The package also makes its folders for results when imported.
    """
    folder = tempfile.mkdtemp(prefix="bfcl-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ["BFCL_PROJECT_ROOT"] = folder
    table = types.ModuleType("bfcl_eval.constants.model_config")
    table.MODEL_CONFIG_MAPPING = {REGISTERED: types.SimpleNamespace(underscore_to_dot=True)}
    sys.modules[table.__name__] = table


prepare_bfcl()

import numpy  # noqa: E402
from bfcl_eval.constants.enums import Language, ReturnFormat  # noqa: E402
from bfcl_eval.eval_checker import eval_runner as bfcl  # noqa: E402
from bfcl_eval.model_handler.api_inference.openai_completion import OpenAICompletionsHandler  # noqa: E402
from openai import APIConnectionError, APITimeoutError  # noqa: E402
from tqdm import tqdm  # noqa: E402


class Endpoint(OpenAICompletionsHandler):
    """BFCL's handler for tools over Chat Completions, with one address and without retries: each failure shows."""

    def __init__(self, base_url, model, timeout):
        key = os.getenv("OPENAI_API_KEY", "none")
        self.settings = {"base_url": base_url, "api_key": key, "timeout": timeout, "max_retries": 0}
        self.kept = threading.local()
        super().__init__(model_name=model, temperature=0.001, registry_name=REGISTERED, is_fc_model=True)

    def _build_client_kwargs(self):
        return self.settings

    def generate_with_backoff(self, **request):
        reply, seconds = OpenAICompletionsHandler.generate_with_backoff.__wrapped__(self, **request)
        self.kept.reply = reply.model_dump(exclude_unset=True)
        return reply, seconds

    def answer(self, case):
        """What the endpoint says to one case. An answer that is an error stays one; only a missing endpoint ends the run."""
        self.kept.reply = None
        started = time.perf_counter()
        try:
            result, _ = self.inference(case, include_input_log=False, exclude_state_log=True)
            outcome = {"result": result}
        except Exception as error:  # a reply that BFCL's handler cannot read is an error too, as in its own runs
            if isinstance(error, APIConnectionError) and not isinstance(error, APITimeoutError):
                raise
            outcome = {"error": f"{type(error).__name__}: {error}"}
        seconds = round(time.perf_counter() - started, 4)
        return {"id": case["id"], **outcome, "seconds": seconds, "reply": self.kept.reply}


def in_part(case_id, part):
    """Whether a case is of a part; the parts never change."""
    return part == "all" or (part == "tune") == (hashlib.sha256(case_id.encode()).digest()[0] < 0x40)


def sampled(cases, size, seed):
    """A fixed sample of the cases. A larger one holds the smaller one, whose answers are then of use again."""
    return sorted(cases, key=lambda case: hashlib.sha256(f"{seed}:{case['id']}".encode()).digest())[:size]


def answered(path, retry_errors):
    """Answers kept by an earlier run, by id; the last one counts."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8") as lines:
        kept = {answer["id"]: answer for answer in map(json.loads, lines)}
    return {name: answer for name, answer in kept.items() if not (retry_errors and "error" in answer)}


def ask(endpoint, category, cases, path, options):
    """Answers to all cases, by id; asks for those that are not kept yet and writes each one down at once."""
    answers = answered(path, options.retry_errors)
    open_cases = [case for case in cases if case["id"] not in answers]
    with path.open("a", encoding="utf-8") as file, ThreadPoolExecutor(options.concurrency) as pool:
        asked = [pool.submit(endpoint.answer, case) for case in open_cases]
        try:
            for done in tqdm(as_completed(asked), desc=category, total=len(asked), leave=False, disable=None):
                answer = done.result()
                answers[answer["id"]] = answer
                file.write(json.dumps(answer, ensure_ascii=False) + "\n")
                file.flush()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return answers


def judged(endpoint, category, case, truth, answer):
    """BFCL's verdict on one answer: `valid`, and when it is not, `error` and `error_type`."""
    if "error" in answer:
        return {"valid": False, "error": answer["error"], "error_type": "endpoint_error"}
    subject = (endpoint, case["id"], answer["result"])
    if truth is None:
        return bfcl._evaluate_single_relevance_entry(*subject, case, REGISTERED, category)
    kind = "JAVA" if bfcl.is_java(category) else "JAVASCRIPT" if bfcl.is_js(category) else "PYTHON"
    try:
        return bfcl._evaluate_single_ast_entry(
            *subject, truth, case, REGISTERED, category, language=Language[kind], return_format=ReturnFormat[kind]
        )
    except Exception as error:  # an argument so odd that the checker fails on it, which would end BFCL's own run
        return {"valid": False, "error": repr(error), "error_type": "checker_failed"}


def wilson(right, total, z=1.96):
    """95 % interval of a share."""
    share, whole = right / total, total + z * z
    middle = (right + z * z / 2) / whole
    half = z * math.sqrt(share * (1 - share) * total + z * z / 4) / whole
    return max(0.0, middle - half), min(1.0, middle + half)


def explained(case, truth, answer, verdict):
    """A wrong answer beside what was asked and what is accepted."""
    why = {"id": case["id"], "error_type": verdict["error_type"], "error": verdict["error"]}
    return why | {"question": case["question"][0], "answer": answer.get("result"), "accepted": truth}


def run_category(endpoint, category, options):
    """Asks and scores one category; also the wrong answers of the tune part, which may be read."""
    shown = bfcl.load_dataset_entry(category)
    # The checker wants the types of the description before they were made fit for a schema.
    plain = bfcl.load_dataset_entry(category, include_language_specific_hint=False)
    truths = [None] * len(plain)
    if not bfcl.is_relevance_or_irrelevance(category):
        truths = [entry["ground_truth"] for entry in bfcl.load_ground_truth_entry(category)]
    known = {case["id"]: (case, truth) for case, truth in zip(plain, truths, strict=True)}
    pool = [case for case in shown if in_part(case["id"], options.part)]
    cases = sampled(pool, options.sample, options.seed)
    if not cases:
        return None, []
    answers = ask(endpoint, category, cases, options.out / f"{category}.jsonl", options)
    verdicts = {case["id"]: judged(endpoint, category, *known[case["id"]], answers[case["id"]]) for case in cases}
    wrong = {name: verdict for name, verdict in verdicts.items() if not verdict["valid"]}
    right = len(cases) - len(wrong)
    score = {"of": len(pool), "cases": len(cases), "right": right, "share": right / len(cases)}
    score["interval"] = wilson(right, len(cases))
    score["p50_s"], score["p95_s"] = numpy.percentile([answers[case["id"]]["seconds"] for case in cases], [50, 95]).round(4)
    score["wrong"] = dict(Counter(verdict["error_type"] for verdict in wrong.values()).most_common())
    return score, [explained(*known[name], answers[name], verdict) for name, verdict in wrong.items() if in_part(name, "tune")]


def overall(scores):
    """The leaderboard's means. Of calls not live each kind counts the same, as does each language among the simple ones; live
    kinds count by their number of cases. None where a kind was not run; without Java and JavaScript, simple means Python."""
    share = {name: score["share"] for name, score in scores.items()}
    kinds = ["multiple", "parallel", "parallel_multiple"]
    simple = [share[name] for name in share if name.startswith("simple_")]
    non_live = [sum(simple) / len(simple) if simple else None, *map(share.get, kinds)]
    live = [scores.get(f"live_{kind}") for kind in ["simple", *kinds]]
    return {
        "non_live_ast": None if None in non_live else sum(non_live) / len(non_live),
        "live_ast": None if None in live else sum(s["share"] * s["of"] for s in live) / sum(s["of"] for s in live),
        "irrelevance": share.get("irrelevance"),
        "live_irrelevance": share.get("live_irrelevance"),
    }


def table(scores, means):
    yield f"{'category':24}{'cases':>6}{'right':>7}{'share':>8}{'95 % interval':>16}{'p50 s':>9}{'p95 s':>9}"
    for category, score in scores.items():
        low, high = score["interval"]
        counted = f"{category:24}{score['cases']:>6}{score['right']:>7}{score['share']:>8.1%}{f'{low:.1%}–{high:.1%}':>16}"
        yield f"{counted}{score['p50_s']:>9.2f}{score['p95_s']:>9.2f}"
    yield ""
    for name, share in means.items():
        yield f"{name:24}{'not run' if share is None else f'{share:.1%}':>21}"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base-url", required=True, help="address of the endpoint, up to /v1")
    parser.add_argument("--model", required=True, help="name of the model to ask for")
    parser.add_argument("--categories", default="python", help="BFCL's categories or groups, by commas (default: %(default)s)")
    parser.add_argument("--part", choices=["tune", "test", "all"], default="tune", help="which cases (default: %(default)s)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N cases of each category")
    parser.add_argument("--seed", type=int, default=0, help="which sample (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder for answers, kept for the next run, and scores")
    parser.add_argument("--retry-errors", action="store_true", help="ask again where the kept answer is an error")
    parser.add_argument("--concurrency", type=int, default=2, help="requests at once (default: %(default)s)")
    parser.add_argument("--timeout", type=float, default=300, help="seconds for one answer (default: %(default)s)")
    return parser.parse_args()


def main():
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = bfcl.parse_test_category_argument(options.categories.split(","))
    if unscored := set(wanted) - set(bfcl.SINGLE_TURN_CATEGORY):
        sys.exit(f"error: more than one turn: {', '.join(sorted(unscored))}")
    endpoint = Endpoint(options.base_url, options.model, options.timeout)
    scores, details = {}, []
    for category in sorted(wanted, key=bfcl.SINGLE_TURN_CATEGORY.index):
        try:
            score, wrong = run_category(endpoint, category, options)
        except APIConnectionError as error:
            sys.exit(f"error: no answer from {options.base_url}: {error} (run again to go on in {category})")
        scores |= {category: score} if score else {}
        details += wrong
    means = overall(scores)
    print(*table(scores, means), sep="\n")
    versions = {name: importlib.metadata.version(name) for name in ("bfcl-eval", "openai")}
    summary = {"arguments": vars(options), "versions": versions, "categories": scores, "overall": means}
    (options.out / "summary.json").write_text(json.dumps(summary, indent=2, default=str) + "\n", encoding="utf-8")
    with (options.out / "wrong.tune.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in details)


if __name__ == "__main__":
    main()
