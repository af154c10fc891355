#!/usr/bin/env python3
"""The pairs say what they ask for and keep the parts of the data apart; a tiny model learns them and its adapter loads again.

Usage: python3 -m unittest discover --start-directory workers/adapters/drafts --pattern '*_test.py'
"""

import contextlib
import io
import json
import random
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import data
from line import Reader, first_line
from sentence import Argument, says, says_argument, work_in
from words import AwsWords, kebab, part_of

REPOSITORY = Path(__file__).parents[3]
try:
    import peft
    import torch
    import transformers
except ImportError:
    torch = None


def example(service, operation, command, arguments, title="To do the thing"):
    return {"title": title, "description": None, "command": command, "service": service, "operation": operation,
            "arguments": arguments}


# `iam` is for training, `s3` held out, `sqs` blind.
AWS = [
    example("iam", "CreateUser", "aws iam create-user --user-name ana --path /ops/ --tags Key=team,Value=core",
            {"UserName": "ana", "Path": "/ops/"}, "To create a user"),
    example("iam", "PutGroupPolicy", "aws iam put-group-policy --group-name devs --policy-document file://p.json",
            {"GroupName": "devs", "PolicyDocument": "{}"}, "Example 2: To add a policy to the specified group"),
    example("s3", "ListObjectsV2", "aws s3api list-objects-v2 --bucket pics --max-items 5", {"Bucket": "pics"}, "To list objects"),
    example("sqs", "CreateQueue", "aws sqs create-queue --queue-name jobs", {"QueueName": "jobs"}, "To create a queue"),
]
KUBECTL = [
    {"description": "Scale a replica set named 'foo' to 3", "command": "kubectl scale --replicas=3 rs/foo", "operation": "scale",
     "positionals": ["rs/foo"], "flags": {"replicas": ["3"]}},
    {"description": "Drain a node", "command": "kubectl drain foo --force", "operation": "drain", "positionals": ["foo"],
     "flags": {"force": ["true"]}},
]


def write_lines(file, rows):
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def made(part, *more, copies=8):
    """The pairs that data.py makes of the tiny examples and the repository's own phrases."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_lines(root / "aws_examples.jsonl", AWS)
        write_lines(root / "kubectl_examples.jsonl", KUBECTL)
        write_lines(root / "replay.jsonl", [{"messages": [{"role": "user", "content": str(at)}]} for at in range(9999)])
        words = ["data.py", str(REPOSITORY), folder, str(root / "out"), "--part", part, "--copies", str(copies)]
        words += [one.replace("REPLAY", str(root / "replay.jsonl")) for one in more]
        with mock.patch.object(sys, "argv", words), contextlib.redirect_stdout(io.StringIO()):
            data.main()
        return data.read_lines(root / "out")


def said(pair):
    return pair["messages"][1]["content"], pair["messages"][2]["content"]


def of_source(pairs, source):
    return [said(pair) for pair in pairs if pair["source"] == source]


class Words(unittest.TestCase):
    def test_kebab_names_follow_the_rule_and_its_exceptions(self):
        special = json.loads((REPOSITORY / "workers/catalogue/src/import/aws/xform_special.json").read_text())
        for name, wanted in {
            "CreateDBInstance": "create-db-instance", "DescribeInstances": "describe-instances", "ListObjectsV2": "list-objects-v2",
            "ListHITs": "list-hits", "CreateCachediSCSIVolume": "create-cached-iscsi-volume", "GetACLs": "get-acls",
        }.items():
            self.assertEqual(kebab(name, special), wanted)

    def test_examples_name_services_and_what_awscli_removed_has_no_words(self):
        words = AwsWords(AWS, {})
        self.assertEqual(words.of("s3", "PutObject"), ["s3api", "put-object"])
        self.assertEqual(words.of("s3", "cp"), ["s3", "cp"])
        self.assertIsNone(words.of("emr", "RunJobFlow"))


class Pairs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.parts = {part: made(part) for part in ("train", "held-out")}

    def test_every_value_of_a_command_is_in_its_request(self):
        for request, line in of_source(self.parts["train"], "aws-examples"):
            for option, values in {"--user-name": ["ana"], "--path": ["/ops/"], "--tags": ["team", "core"], "--group-name": ["devs"],
                                   "--policy-document": ["p.json"]}.items():
                for value in values if option in line else ():
                    self.assertTrue(says(request, value), (value, request, line))
        for request, line in of_source(self.parts["held-out"], "kubectl-examples"):
            self.assertTrue(says(request, "foo") and says(request, "force"), (request, line))

    def test_optional_arguments_are_left_out_where_they_are_not_said(self):
        lines = {line for _, line in of_source(self.parts["train"], "aws-examples") if "create-user" in line}
        self.assertTrue(any("--path" not in line for line in lines) and any("--path" in line for line in lines))

    def test_what_the_sentence_says_is_kept_and_not_said_twice(self):
        self.assertEqual({request.lower() for request, _ in of_source(self.parts["train"], "kubectl-examples")},
                         {"scale a replica set named 'foo' to 3"})

    def test_no_blind_service_appears_and_parts_share_none(self):
        services = {part: {said(pair)[1].split()[1] for pair in pairs if pair["specialty"] == "aws" and said(pair)[1] != data.NOTHING}
                    for part, pairs in self.parts.items()}
        names = {"s3api": "s3", "configservice": "config"}
        for part, found in services.items():
            self.assertTrue(found)
            self.assertEqual({part_of(names.get(service, service)) for service in found}, {part})
        self.assertEqual(part_of("sqs"), "blind")

    def test_nothing_is_written_for_what_nobody_serves(self):
        for pairs in self.parts.values():
            self.assertEqual({line for _, line in of_source(pairs, "negatives")}, {"# nothing"})
        both = [{request for request, _ in of_source(pairs, "negatives")} for pairs in self.parts.values()]
        self.assertFalse(both[0] & both[1])

    def test_phrases_teach_no_end(self):
        ends = {pair["source"]: pair["ends"] for pair in self.parts["train"]}
        self.assertEqual(ends, {"aws-phrases": False, "kubectl-phrases": False, "aws-examples": True, "kubectl-examples": True,
                                "negatives": True})

    def test_replay_has_its_share(self):
        pairs = made("held-out", "--replay", "REPLAY", "--replay-share", "0.2")
        share = sum(pair["source"] == "replay" for pair in pairs) / len(pairs)
        self.assertAlmostEqual(share, 0.2, places=2)

    def test_every_turn_of_phrase_says_every_argument(self):
        arguments = [Argument("--name", ["My vault"]), Argument("--subnet-ids", ["s-1", "s-2"]), Argument("--dry-run"),
                     Argument("--filters", ["Name=state,Values=on,off"]), Argument("--region", ["eu-west-1"])]
        for seed in range(200):
            request = work_in("do it", arguments, random.Random(seed))
            for argument in arguments:
                self.assertTrue(says_argument(request, argument), (argument, request))

    def test_what_cannot_be_said_is_left_out(self):
        for value in ['{"a": {"b": 1}}', "x" * 101, "a\nb", "S3={Bucket=b}", "-"]:
            self.assertIsNone(Argument("--document", [value]).leaves(), value)


class Lines(unittest.TestCase):
    def test_equal_lines_read_equally(self):
        folder = REPOSITORY / "workers/catalogue/data"
        reader = Reader(*(json.loads((folder / name).read_text()) for name in ("kubectl.json", "kubernetes_kinds.json")))
        for one, other in [
            ("kubectl scale deploy/web --replicas=3 -n prod", "kubectl scale --namespace prod deployment web --replicas 3"),
            ("kubectl get po", "kubectl get pods"),
            ("aws ec2 stop-instances --instance-ids i-1 --force", "aws ec2 stop-instances --force --instance-ids=i-1"),
        ]:
            self.assertEqual(reader.read(one), reader.read(other))
        self.assertNotEqual(reader.read("kubectl get pods"), reader.read("kubectl get pods -A"))
        self.assertEqual(reader.read("aws 'x"), ((), {}))
        self.assertEqual(first_line("aws s3 ls\nThis lists"), "aws s3 ls")


@unittest.skipIf(torch is None, "torch, transformers and peft are not installed")
class Training(unittest.TestCase):
    def test_a_tiny_model_learns_and_its_adapter_loads_again(self):
        import measure
        import tiny
        import train

        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as printed:
            root = Path(folder)
            pairs, made_pairs = [], made("held-out", copies=1)
            for source in ("aws-examples", "kubectl-examples", "negatives", "aws-phrases", "kubectl-phrases"):
                pairs += [pair for pair in made_pairs if pair["source"] == source][:2]
            write_lines(root / "pairs", pairs[:8])
            tiny.make(root / "base", pairs[:8])
            words = [str(root / "base"), str(root / "pairs"), str(root / "adapter")]
            losses = train.main([*words, "--epochs", "60", "--rate", "0.02", "--name", "tiny"])
            self.assertLess(losses[-1], losses[0] / 2)
            config = json.loads((root / "adapter/adapter_config.json").read_text())
            self.assertEqual((config["base_model_name_or_path"], config["r"]), ("tiny", 16))
            columns = measure.main([str(REPOSITORY), *words[:2], "--adapter", words[2]])
            right = {name: sum(right for right, _ in column.values()) for name, column in columns.items()}
            # The loaded adapter knows by heart what it was taught, the base knows nothing.
            self.assertGreater(right["after"], 0.8 * sum(of for _, of in columns["after"].values()), columns)
            self.assertLess(right["before"], right["after"])
            with self.assertRaisesRegex(SystemExit, "take --rank"):
                train.main([*words, "--rank", "100000"])
        self.assertIn("sha256", printed.getvalue())

    def test_loss_is_on_the_assistant_alone(self):
        import tiny
        import train

        with tempfile.TemporaryDirectory() as folder:
            chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "list them"},
                    {"role": "assistant", "content": "aws s3 ls"}]
            tiny.make(Path(folder), [{"messages": chat}])
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
            for ends, wanted in ((True, "aws s3 ls<|im_end|>"), (False, "aws s3 ls")):
                ids, labels = train.encode(tokenizer, {"messages": chat, "ends": ends})
                taught = [own for own, label in zip(ids, labels) if label != train.UNTAUGHT]
                self.assertEqual(tokenizer.decode(taught), wanted)


if __name__ == "__main__":
    unittest.main()
