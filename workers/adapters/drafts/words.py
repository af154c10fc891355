"""Knows how vendors spell their commands, and which part of the data a name belongs to. Must not know where sentences come from."""

import hashlib
import re
import shlex

# Operations that awscli takes out of its own command table (`awscli/customizations/removals.py`, 1.46.3): no command line says them.
REMOVED = {
    "bedrock-runtime": {"converse-stream", "invoke-model-with-bidirectional-stream", "invoke-model-with-response-stream"},
    "ec2": {"import-instance", "import-volume"},
    "emr": {"run-job-flow", "describe-job-flows", "add-job-flow-steps", "terminate-job-flows", "list-bootstrap-actions",
            "list-instance-groups", "set-termination-protection", "set-keep-job-flow-alive-when-no-steps",
            "set-visible-to-all-users", "set-unhealthy-node-replacement"},
    "kinesis": {"subscribe-to-shard"},
    "lambda": {"invoke-with-response-stream"},
    "logs": {"get-log-object"},
    "polly": {"start-speech-synthesis-stream"},
    "ses": {"delete-verified-email-address", "list-verified-email-addresses", "verify-email-address"},
}
BLIND_BELOW, HELD_OUT_BELOW = 0x40, 0x70


def part_of(name):
    """`blind`, `held-out` or `train`, by the first byte of the name's SHA-256."""
    byte = hashlib.sha256(name.encode()).digest()[0]
    return "blind" if byte < BLIND_BELOW else "held-out" if byte < HELD_OUT_BELOW else "train"


def open_part_of(name):
    """The same for names that the rule on blind services does not concern: what would be blind is for training."""
    part = part_of(name)
    return "train" if part == "blind" else part


def kebab(name, special):
    """`CreateDBInstance` → `create-db-instance`: botocore's `xform_name(name, '-')`; `special` are the names that its rules get wrong."""
    if "-" in name:
        return name
    if name in special:
        return special[name]
    plural = re.search(r"[A-Z]{2,}s$", name)
    if plural:
        name = f"{name[:plural.start()]}-{plural.group().lower()}"
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1-\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", name).lower()


class AwsWords:
    """Service and operation as the AWS command line says them: as awscli's own examples do, else by its rule for names."""

    def __init__(self, examples, special):
        self.special, self.seen, self.services = special, {}, {}
        for row in examples:
            tokens = shlex.split(row["command"])
            if len(tokens) > 2 and not tokens[2].startswith("-"):
                self.seen.setdefault((row["service"], row["operation"]), tokens[1:3])
                self.services.setdefault(row["service"], tokens[1])

    def of(self, service, operation):
        """Two words; None when the AWS command line has no such command. A command of awscli's own (`s3 cp`) stays as it is."""
        if operation == operation.lower():
            return [service, operation]
        if (service, operation) in self.seen:
            return self.seen[service, operation]
        word = kebab(operation, self.special)
        return None if word in REMOVED.get(service, ()) else [self.services.get(service, service), word]
