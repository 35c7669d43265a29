"""Tests of the programs that the page offers; test_app runs two of them."""

import ast
import json

from fashion_ddpm.core.requests import GenerateRequest
from fashion_ddpm.demo.api_examples import api_examples

REQUEST = GenerateRequest("ankle boot", 2, "karras", "euler", 3, 1.5, seed=4)


def test_every_language_holds_the_address_and_all_settings() -> None:
    for program in api_examples(REQUEST, "http://somewhere:1").values():
        assert "http://somewhere:1" in program
        for value in ("ankle boot", "karras", "euler", "1.5", "embedded"):
            assert value in program


def test_the_python_program_and_the_shells_json_can_be_parsed() -> None:
    programs = api_examples(REQUEST, "http://somewhere:1")
    ast.parse(programs["python"])
    data = programs["shell"].split("-d '")[1].split("'")[0]
    assert json.loads(data)["data"][:3] == ["ankle boot", "karras", 3]
