#!/usr/bin/env python3
"""Cuts kubernetes_kinds.json and kubernetes_schemas.json.zst out of the JSON schemas in the PyPI wheel `kubernetes-validate` (Apache-2.0).

Usage: extract/kubernetes_kinds.py kubernetes_validate-1.37.0-py3-none-any.whl data   (needs the `zstd` program)
The first has the kinds that commands name, the second the shape of every kind in every version, for manifests and results.
The schemas name neither short names nor scope: those are in KINDS below, as `kubectl api-resources` prints them.
"""
import json
import pathlib
import re
import subprocess
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


def short(name):
    """`io.k8s.api.apps.v1.Deployment` -> `apps.v1.Deployment`."""
    return ".".join(name.split(".")[-3:])


def one_type(types):
    """Kubernetes reads null as left out: `["string", "null"]` is a string."""
    return next((t for t in types if t != "null"), "object") if isinstance(types, list) else types


def field(schema):
    """A schema with its references under short names, without texts and nulls."""
    if "$ref" in schema:
        return {"$ref": "#/$defs/" + short(schema["$ref"].rsplit("/", 1)[1])}
    if "oneOf" in schema:  # quantities and ports
        return {"anyOf": [{"type": one_type(branch["type"])} for branch in schema["oneOf"]]}
    out = {}
    if "type" in schema:
        out["type"] = one_type(schema["type"])
    for key in ("format", "required"):
        if key in schema:
            out[key] = schema[key]
    if values := [v for v in schema.get("enum") or [] if v is not None]:
        out["enum"] = values
    if "properties" in schema:
        out["properties"] = {name: field(inner) for name, inner in sorted(schema["properties"].items())}
        # The server refuses fields it does not know.
        out["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        out["additionalProperties"] = field(schema["additionalProperties"])
    if "items" in schema:
        out["items"] = field(schema["items"])
    return out


def schemas(definitions):
    """Every definition by its short name, and every kind with what it is."""
    shapes, kinds = {}, []
    for name, schema in sorted(definitions.items()):
        shape = field(schema)
        assert short(name) not in shapes, name
        gvks = schema.get("x-kubernetes-group-version-kind", [])
        for gvk in gvks:
            api = f"{gvk['group']}/{gvk['version']}" if gvk["group"] else gvk["version"]
            kinds.append({"api": api, "kind": gvk["kind"], "shape": short(name)})
        if len(gvks) == 1 and "apiVersion" in shape.get("properties", {}):
            shape["properties"]["apiVersion"] = {"type": "string", "const": kinds[-1]["api"]}
            shape["properties"]["kind"] = {"type": "string", "const": kinds[-1]["kind"]}
            # Not said by the schemas, yet nothing is a manifest without them.
            if not kinds[-1]["kind"].endswith("List"):
                shape["required"] = sorted({*shape.get("required", []), "apiVersion", "kind"})
        shapes[short(name)] = shape
    return {"kinds": sorted(kinds, key=lambda k: (k["api"], k["kind"])), "shapes": shapes}


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
            "doc": first_sentence(target.get("description")),
        })
    assert len(kinds) == len(KINDS), set(KINDS) - {k["kind"] for k in kinds}
    head = {"source": "PyPI kubernetes-validate 1.37.0, schemas v1.37.0", "license": "Apache-2.0"}
    lines = ",\n".join(json.dumps(k, ensure_ascii=False, separators=(",", ":")) for k in kinds)
    out = pathlib.Path(sys.argv[2])
    (out / "kubernetes_kinds.json").write_text(json.dumps(head)[:-1] + ',\n"kinds": [\n' + lines + "\n]}\n", encoding="utf-8")
    text = json.dumps({**head, **schemas(definitions)}, ensure_ascii=False, separators=(",", ":"))
    packed = ["zstd", "-q", "-f", "-19", "-o", str(out / "kubernetes_schemas.json.zst")]
    subprocess.run(packed, input=text.encode(), check=True)


main()
