"""The bill of materials, in the format CycloneDX 1.6."""

import json
import uuid
from datetime import UTC, datetime

# Names the list by its content: the same content has the same number everywhere.
_NAMESPACE = uuid.UUID("8f3a3c0e-5a0e-5c55-9d5c-4f0d1d5c2b7e")


def bill(version, crates, rust, seconds):
    """The text of `sbom.cdx.json`. `rust` is the version of the compiler, whose standard library is in every program; `seconds` the
    time of the commit."""
    library = f"pkg:generic/rust-std@{rust}"
    components = [_component(crate) for crate in crates.values() if not crate.is_ours]
    components.append(
        {
            "type": "library",
            "bom-ref": library,
            "name": "rust-std",
            "version": rust,
            "description": "The Rust standard library, as the toolchain brings it.",
            "scope": "required",
            "licenses": [{"expression": "MIT OR Apache-2.0"}],
            "purl": library,
        }
    )
    ours = [crate for crate in crates.values() if crate.is_ours]
    root = f"pkg:generic/copymend@{version}"
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": "copymend",
                "version": version,
                "licenses": [{"expression": "Apache-2.0"}],
                "purl": root,
                "components": [
                    {
                        "type": "library" if crate.name not in crate.programs else "application",
                        "bom-ref": _reference(crate),
                        "name": crate.name,
                        "version": crate.version,
                        "licenses": [{"expression": crate.license}],
                    }
                    for crate in ours
                ],
            },
        },
        "components": sorted(components, key=lambda component: component["bom-ref"]),
        "dependencies": [
            {"ref": root, "dependsOn": sorted([*(_reference(crate) for crate in ours if crate.name in crate.programs), library])},
            *(
                {"ref": _reference(crate), "dependsOn": sorted(_reference(crates[id]) for id in crate.depends_on)}
                for crate in crates.values()
            ),
        ],
    }
    number = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    document = {"bomFormat": document.pop("bomFormat"), "specVersion": document.pop("specVersion"), "serialNumber": f"urn:uuid:{number}"} | document
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _reference(crate):
    return f"copymend:{crate.name}@{crate.version}" if crate.is_ours else f"pkg:cargo/{crate.name}@{crate.version}"


def _component(crate):
    component = {
        "type": "library",
        "bom-ref": _reference(crate),
        "name": crate.name,
        "version": crate.version,
        # CycloneDX's word for what a program is built with but doesn't hold.
        "scope": "required" if crate.in_a_program else "excluded",
        "hashes": [{"alg": "SHA-256", "content": crate.checksum}],
        "licenses": [{"expression": crate.license}],
        "purl": _reference(crate),
    }
    if crate.repository:
        component["externalReferences"] = [{"type": "vcs", "url": crate.repository}]
    if crate.programs:
        component["properties"] = [{"name": "copymend:program", "value": program} for program in sorted(crate.programs)]
    return component
