"""What a release's files are made of: archives, the bill of materials, notices, checksums."""

import hashlib
import io
import json
import stat
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(REPOSITORY / "release"))

import archives  # noqa: E402
from combine import Different, combine  # noqa: E402
from dependencies import Crate, described, normal_license, read_tree  # noqa: E402
from history import before  # noqa: E402
from notices import NoLicenseText, notices, texts_of  # noqa: E402
from sbom import bill  # noqa: E402

MIT = "MIT License\n\nCopyright (c) Somebody\n"


class Archives(unittest.TestCase):
    def test_a_function_is_an_executable_bootstrap_without_the_time_of_its_build(self):
        archive = archives.zip_of_function(b"program")
        self.assertEqual(archive, archives.zip_of_function(b"program"))
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            [entry] = opened.infolist()
            self.assertEqual((entry.filename, entry.date_time), ("bootstrap", (1980, 1, 1, 0, 0, 0)))
            self.assertEqual(stat.filemode(entry.external_attr >> 16), "-rwxr-xr-x")
            self.assertEqual(opened.read(entry), b"program")

    def test_the_command_line_lies_in_a_folder_beside_its_licences(self):
        archive = archives.tar_of_program("copymend-1", ("copymend", b"program"), {"NOTICES": b"b", "LICENSE": b"a"})
        self.assertEqual(archive, archives.tar_of_program("copymend-1", ("copymend", b"program"), {"LICENSE": b"a", "NOTICES": b"b"}))
        # Neither a time nor a name in the header of gzip.
        self.assertEqual(archive[3:8], bytes(5))
        with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
            self.assertEqual(
                [(entry.name, entry.mode, entry.mtime, entry.uid, entry.uname) for entry in opened],
                [(f"copymend-1/{name}", mode, 0, 0, "") for name, mode in (("copymend", 0o755), ("LICENSE", 0o644), ("NOTICES", 0o644))],
            )


class Packages(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def package(self, name, **files):
        folder = self.folder / name
        folder.mkdir()
        for file, content in files.items():
            (folder / file).write_text(content)
        (folder / "SHA256SUMS").write_text(archives.checksums(folder))
        return folder

    def test_checksums_are_those_that_sha256sum_reads(self):
        folder = self.package("one", b="2", a="1")
        digest = {text: hashlib.sha256(text.encode()).hexdigest() for text in "12"}
        self.assertEqual((folder / "SHA256SUMS").read_text(), f"{digest['1']}  a\n{digest['2']}  b\n")

    def test_packages_of_two_processors_become_one(self):
        result = self.folder / "both"
        combine([self.package("one", template="t", x86_64="x"), self.package("two", template="t", arm64="a")], result)
        self.assertEqual({path.name for path in result.iterdir()}, {"SHA256SUMS", "template", "x86_64", "arm64"})
        self.assertEqual((result / "SHA256SUMS").read_text(), archives.checksums(result))

    def test_packages_of_different_commits_are_refused(self):
        with self.assertRaisesRegex(Different, "template differs"):
            combine([self.package("one", template="t"), self.package("two", template="u")], self.folder / "both")

    def test_a_package_that_was_changed_is_refused(self):
        changed = self.package("one", template="t")
        (changed / "template").write_text("u")
        with self.assertRaisesRegex(Different, "SHA256SUMS"):
            combine([changed], self.folder / "both")


class Versions(unittest.TestCase):
    def test_the_version_before_is_the_highest_lower_release(self):
        tags = ["v0.9.0", "v0.10.0", "v0.10.1", "v1.0.0-rc.1", "v1.0.0", "v2.0.0", "other"]
        for version, expected in {
            "1.0.0": "v0.10.1",
            "1.0.0-rc.2": "v0.10.1",
            "0.10.1": "v0.10.0",
            "1.1.0": "v1.0.0",
            "0.9.0": None,
            "0.1.0": None,
        }.items():
            with self.subTest(version):
                self.assertEqual(before(version, tags), expected)


class Dependencies(unittest.TestCase):
    def test_a_tree_of_cargo_is_read_with_its_edges(self):
        tree = "0copymend v0.1.0 (/a/folder)\n1serde v1.0.1\n2serde_core v1.0.1\n1tokio v1.50.0\n2serde v1.0.1 (*)\n2mio v1.2.5\n"
        self.assertEqual(
            read_tree(tree),
            {
                "copymend@0.1.0": {"serde@1.0.1", "tokio@1.50.0"},
                "serde@1.0.1": {"serde_core@1.0.1"},
                "serde_core@1.0.1": set(),
                "tokio@1.50.0": {"serde@1.0.1", "mio@1.2.5"},
                "mio@1.2.5": set(),
            },
        )

    def test_a_line_that_is_no_crate_is_not_passed_over(self):
        with self.assertRaises(ValueError):
            read_tree("0copymend v0.1.0\n[build-dependencies]\n")

    def test_a_crate_without_a_checksum_is_not_taken_for_ours(self):
        package = {"name": "a", "version": "1.0.0", "license": "MIT", "manifest_path": "/a/Cargo.toml", "repository": None}
        lock = f'[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+x"\nchecksum = "{"0" * 64}"\n'
        for source, text in (("registry+x", ""), (None, lock)):
            with self.subTest(source), self.assertRaises(ValueError):
                described(json.dumps({"packages": [package | {"source": source}]}), text)
        found = described(json.dumps({"packages": [package | {"source": "registry+x"}]}), lock)
        self.assertEqual(found["a@1.0.0"].checksum, "0" * 64)

    def test_a_slash_between_licences_is_an_or(self):
        self.assertEqual(normal_license("MIT/Apache-2.0"), "MIT OR Apache-2.0")
        self.assertEqual(normal_license("Apache-2.0 / MIT"), "Apache-2.0 OR MIT")
        self.assertEqual(normal_license("(MIT OR Apache-2.0) AND ISC"), "(MIT OR Apache-2.0) AND ISC")


class Notices(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def crate(self, name, license="MIT", in_a_program=True, **files):
        folder = self.folder / name
        for file, content in files.items():
            path = folder / file.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        return Crate(name, "1.0.0", license, folder, None, "0" * 64, in_a_program, {"copymend"} if in_a_program else set())

    def page(self, *crates):
        return notices("0.1.0", {crate.id: crate for crate in crates})

    def test_a_text_that_several_crates_have_is_there_once_with_their_names(self):
        page = self.page(self.crate("a", LICENSE=MIT), self.crate("b", **{"LICENSE-MIT": MIT + "\n"}))
        self.assertEqual(page.count("Copyright (c) Somebody"), 1)
        self.assertIn("a 1.0.0 (LICENSE)\nb 1.0.0 (LICENSE-MIT)\n", page)
        self.assertIn("\na 1.0.0: MIT\nb 1.0.0: MIT\n", page)

    def test_licences_of_code_that_a_crate_brings_along_and_notices_count(self):
        crate = self.crate("a", LICENSE=MIT, src__vendored__COPYING="other", NOTICE="notice", **{"src__license.rs": "code"})
        self.assertEqual([name for name, _ in texts_of(crate)], ["LICENSE", "NOTICE", "src/vendored/COPYING"])

    def test_a_crate_without_any_text_stops_the_release(self):
        with self.assertRaisesRegex(NoLicenseText, "a@1.0.0"):
            self.page(self.crate("a"))
        # An AND is no choice.
        with self.assertRaises(NoLicenseText):
            self.page(self.crate("a", license="Apache-2.0 AND MIT"))

    def test_the_apache_licence_is_the_same_text_everywhere(self):
        self.assertIn("Version 2.0, January 2004", self.page(self.crate("a", license="MIT OR Apache-2.0")))

    def test_what_only_runs_during_the_build_is_left_out(self):
        self.assertNotIn("b 1.0.0", self.page(self.crate("a", LICENSE=MIT), self.crate("b", in_a_program=False)))


class Bill(unittest.TestCase):
    def setUp(self):
        ours = Crate("copymend", "0.1.0", "Apache-2.0", Path("/a"), None, None, True, {"copymend"}, {"serde@1.0.0", "quote@1.0.0"})
        serde = Crate("serde", "1.0.0", "MIT", Path("/b"), "https://example.com/serde", "1" * 64, True, {"copymend"})
        quote = Crate("quote", "1.0.0", "MIT", Path("/c"), None, "2" * 64)
        self.crates = {crate.id: crate for crate in (ours, serde, quote)}
        self.text = bill("0.1.0", self.crates, "1.95.0", 1_700_000_000)
        self.bill = json.loads(self.text)

    def test_components_have_their_package_url_checksum_and_licence(self):
        [serde] = [one for one in self.bill["components"] if one["name"] == "serde"]
        self.assertEqual(serde["purl"], "pkg:cargo/serde@1.0.0")
        self.assertEqual(serde["hashes"], [{"alg": "SHA-256", "content": "1" * 64}])
        self.assertEqual(serde["licenses"], [{"expression": "MIT"}])

    def test_what_is_not_in_a_program_and_the_standard_library_are_told_apart(self):
        scopes = {one["name"]: one["scope"] for one in self.bill["components"]}
        self.assertEqual(scopes, {"serde": "required", "quote": "excluded", "rust-std": "required"})

    def test_every_dependency_is_a_component(self):
        application = self.bill["metadata"]["component"]
        known = {one["bom-ref"] for one in (application, *application["components"], *self.bill["components"])}
        edges = {one["ref"]: one["dependsOn"] for one in self.bill["dependencies"]}
        self.assertLessEqual({*edges, *(ref for refs in edges.values() for ref in refs)}, known)
        self.assertEqual(edges["copymend:copymend@0.1.0"], ["pkg:cargo/quote@1.0.0", "pkg:cargo/serde@1.0.0"])

    def test_the_same_content_is_the_same_text_and_another_has_another_number(self):
        self.assertEqual(bill("0.1.0", self.crates, "1.95.0", 1_700_000_000), self.text)
        other = json.loads(bill("0.1.0", self.crates, "1.96.0", 1_700_000_000))
        self.assertNotEqual(other["serialNumber"], self.bill["serialNumber"])
        self.assertRegex(self.bill["serialNumber"], "^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertEqual(self.bill["metadata"]["timestamp"], "2023-11-14T22:13:20Z")


if __name__ == "__main__":
    unittest.main()
