#!/usr/bin/env python3
"""Every rule of check_style.py turns red when it is broken, and stays green when it is not."""

import tempfile
import unittest
from pathlib import Path

import check_style


def messages(**files):
    """Violations of a tree with these files; `__` in a name is a slash."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = []
        for key, text in files.items():
            stem, _, end = key.replace("__", "/").rpartition("_")
            names.append(f"{stem}.{end}")
            path = root / names[-1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [message for _, _, message in check_style.violations(root, names)]


def fields(count):
    return "".join(f"    /// Doc: of it.\n    pub f{n}: Map<u8, (u8, fn(u8) -> u8)>,\n" for n in range(count))


class Rules(unittest.TestCase):
    def assert_red(self, part, **files):
        found = messages(**files)
        self.assertTrue(any(part in message for message in found), f"{part!r} not in {found}")

    def assert_green(self, **files):
        self.assertEqual(messages(**files), [])

    def test_a_file_has_at_most_500_lines(self):
        self.assert_red("501 lines", a__long_rs="//\n" * 501)
        self.assert_green(a__long_rs="//\n" * 500, a__gen__long_rs="//\n" * 501)

    def test_a_struct_has_at_most_12_fields(self):
        self.assert_red("13 fields", a__s_rs="pub struct S<'a> where T: X {\n" + fields(13) + "}\n")
        self.assert_green(a__s_rs="pub struct S {\n" + fields(12) + "}\nstruct U;\nstruct T(u8, u8);\n")

    def test_names_say_something(self):
        for key in ["a__utils_rs", "a__common__x_rs", "manager_py", "a__plan_v2_rs"]:
            self.assert_red("says nothing", **{key: ""})
        self.assert_red("instead of mod.rs", a__b__mod_rs="")
        self.assert_green(a__v1__types_proto="", a__community_rs="")

    def test_only_config_reads_the_environment(self):
        code = 'fn f() { std::env::var("X"); }\n'
        self.assert_red("environment", a__src__x_rs=code)
        self.assert_red("environment", a__src__x_rs="#[arg(long, env)]\nx: u8\n")
        self.assert_green(
            a__src__config_rs=code,
            a__tests__x_rs=code,
            a__src__y_rs="// env::var\n#[cfg(test)]\nmod tests { " + code + "}\n",
        )

    def test_libraries_have_one_owner(self):
        self.assert_red("only registry names etcd-client", router__src__x_rs="use etcd_client::Client;\n")
        self.assert_red("only workers/engine names candle-core", workers__Cargo_toml="[dependencies]\ncandle-core = '1'\n")
        self.assert_green(registry__src__x_rs="use etcd_client::Client;\n", router__src__y_rs="// etcd_client::Client\n")

    def test_dependencies_point_down(self):
        self.assert_red("must not depend on engine", router__Cargo_toml="[dependencies]\nsilverback-engine = '1'\n")
        self.assert_red("must not depend on graph", workers__Cargo_toml="[dependencies]\nsilverback-graph = '1'\n")
        self.assert_red("does no I/O", router__graph__Cargo_toml="[dependencies]\ntokio = '1'\n")
        self.assert_green(router__Cargo_toml="[dependencies]\nsilverback-graph = '1'\n")

    def test_lib_rs_has_no_logic(self):
        self.assert_red("lib.rs holds docs", a__src__lib_rs="pub fn f() {}\n")
        self.assert_green(a__src__lib_rs="//! Docs.\nmod a;\npub use a::B;\n/// Doc.\npub const C: u8 = 1;\n")

    def test_a_todo_names_an_issue(self):
        self.assert_red("TODO", a__src__x_rs="// TODO: later\n")
        self.assert_green(a__src__x_rs="// TODO: see issue 7\n")


if __name__ == "__main__":
    unittest.main()
