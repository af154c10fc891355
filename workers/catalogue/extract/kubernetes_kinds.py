#!/usr/bin/env python3
"""Cuts data/kubernetes_kinds.json out of the JSON schemas in the PyPI wheel `kubernetes-validate` (Apache-2.0).

Usage: extract/kubernetes_kinds.py kubernetes_validate-1.37.0-py3-none-any.whl > data/kubernetes_kinds.json
The schemas name neither short names nor scope: those are in KINDS below, as `kubectl api-resources` prints them.
"""
import json
import re
import sys
import zipfile

# Kind: short names, namespaced. Kinds nobody lists by hand (reviews, bindings, alpha kinds) are left out.
KINDS = {
    "APIService": ("", False), "CertificateSigningRequest": ("csr", False), "ClusterRole": ("", False),
    "ClusterRoleBinding": ("", False), "ComponentStatus": ("cs", False), "ConfigMap": ("cm", True),
    "ControllerRevision": ("", True), "CronJob": ("cj", True), "CSIDriver": ("", False), "CSINode": ("", False),
    "CSIStorageCapacity": ("", True), "CustomResourceDefinition": ("crd crds", False), "DaemonSet": ("ds", True),
    "Deployment": ("deploy", True), "DeviceClass": ("", False), "Endpoints": ("ep", True), "EndpointSlice": ("", True),
    "Event": ("ev", True), "FlowSchema": ("", False), "HorizontalPodAutoscaler": ("hpa", True), "Ingress": ("ing", True),
    "IngressClass": ("", False), "IPAddress": ("ip", False), "Job": ("", True), "Lease": ("", True),
    "LimitRange": ("limits", True), "MutatingWebhookConfiguration": ("", False), "Namespace": ("ns", False),
    "NetworkPolicy": ("netpol", True), "Node": ("no", False), "PersistentVolume": ("pv", False),
    "PersistentVolumeClaim": ("pvc", True), "Pod": ("po", True), "PodDisruptionBudget": ("pdb", True),
    "PodTemplate": ("", True), "PriorityClass": ("pc", False), "PriorityLevelConfiguration": ("", False),
    "ReplicaSet": ("rs", True), "ReplicationController": ("rc", True), "ResourceClaim": ("", True),
    "ResourceClaimTemplate": ("", True), "ResourceQuota": ("quota", True), "ResourceSlice": ("", False),
    "Role": ("", True), "RoleBinding": ("", True), "RuntimeClass": ("", False), "Secret": ("", True),
    "Service": ("svc", True), "ServiceAccount": ("sa", True), "ServiceCIDR": ("", False), "StatefulSet": ("sts", True),
    "StorageClass": ("sc", False), "ValidatingAdmissionPolicy": ("", False), "ValidatingAdmissionPolicyBinding": ("", False),
    "ValidatingWebhookConfiguration": ("", False), "VolumeAttachment": ("", False), "VolumeAttributesClass": ("vac", False),
}
# Which group answers when a kind is asked for by its bare name.
PREFERRED = {"Event": ("", "v1"), "HorizontalPodAutoscaler": ("autoscaling", "v2")}
DEPTH = {"spec": 2, "status": 2}


def plural(kind):
    name = kind.lower()
    if name.endswith("endpoints"):
        return name
    if name.endswith(("s", "ss")):
        return name + "es"
    return name[:-1] + "ies" if name.endswith("y") else name + "s"


def first_sentence(text):
    text = re.sub(r"\s+", " ", text or "").strip()
    return re.split(r"(?<=[a-z)])\. ", text)[0].rstrip(".")[:120]


def field(definitions, schema, depth):
    """A field as type, or as an object of fields while `depth` lasts."""
    target = definitions[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
    types = target.get("type", "object")
    kind = next((t for t in types if t != "null"), "object") if isinstance(types, list) else types
    if "oneOf" in target:  # quantities and ports are a string or a number
        kind = "string"
    out = {"type": kind}
    if values := [v for v in target.get("enum") or [] if v is not None]:
        out["enum"] = values
    if kind == "object" and depth and target.get("properties"):
        out["properties"] = {n: field(definitions, s, depth - 1) for n, s in sorted(target["properties"].items())}
    elif kind == "array" and depth:
        out["items"] = field(definitions, target.get("items", {}), depth - 1)
    return out


def top_fields(definitions, target):
    out = {}
    for name, schema in sorted(target.get("properties", {}).items()):
        if name in ("apiVersion", "kind", "metadata"):
            continue
        out[name] = field(definitions, schema, DEPTH.get(name, 1))
    return out


def versions_of(definitions):
    found = {}
    for target in definitions.values():
        for gvk in target.get("x-kubernetes-group-version-kind", []):
            if gvk["kind"] in KINDS and "metadata" in target.get("properties", {}):
                found.setdefault(gvk["kind"], []).append((gvk["group"], gvk["version"], target))
    return found


def stability(version):
    return ("alpha" in version, "beta" in version, version)


def main():
    wheel = zipfile.ZipFile(sys.argv[1])
    name = "kubernetes_validate/kubernetes-json-schema/v1.37.0-local/_definitions.json"
    definitions = json.loads(wheel.read(name))["$defs"]
    kinds = []
    for kind, versions in sorted(versions_of(definitions).items()):
        wanted = PREFERRED.get(kind)
        chosen = [v for v in versions if v[:2] == wanted] or sorted(versions, key=lambda v: stability(v[1]))
        group, version, target = chosen[0]
        shorts, namespaced = KINDS[kind]
        kinds.append({
            "kind": kind, "name": kind.lower(), "plural": plural(kind), "short": shorts.split(),
            "namespaced": namespaced, "api": f"{group}/{version}" if group else version,
            "doc": first_sentence(target.get("description")), "fields": top_fields(definitions, target),
        })
    assert len(kinds) == len(KINDS), set(KINDS) - {k["kind"] for k in kinds}
    head = {"source": "PyPI kubernetes-validate 1.37.0, schemas v1.37.0", "license": "Apache-2.0"}
    lines = ",\n".join(json.dumps(k, ensure_ascii=False, separators=(",", ":")) for k in kinds)
    print(json.dumps(head)[:-1] + ',\n"kinds": [\n' + lines + "\n]}")


main()
