"""The fake server itself: what other tests rely on."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import openai
import pytest

from mirix.models.fake_server import EMBEDDING_DIMENSIONS, FakeOpenAI, ServerReply, hash_vector


def post(server: FakeOpenAI, path: str, body: Mapping[str, Any]) -> Any:
    request = Request(server.base_url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=5) as response:
        return json.load(response)


def test_replies_come_in_order_and_requests_are_kept() -> None:
    with FakeOpenAI([ServerReply(text="one"), ServerReply(text="two")]) as server:
        texts = [
            post(server, "/chat/completions", {"messages": [{"role": "user", "content": word}]})["choices"][0][
                "message"
            ]
            for word in ("first", "第二")
        ]
    assert [message["content"] for message in texts] == ["one", "two"]
    assert [request.text for request in server.chat_requests] == ["first", "第二"]


def test_a_callable_script_answers_by_request() -> None:
    with FakeOpenAI(lambda request: ServerReply(text=request.text.upper())) as server:
        answer = post(server, "/chat/completions", {"messages": [{"role": "user", "content": "hello"}]})
    assert answer["choices"][0]["message"]["content"] == "HELLO"


def test_a_request_beyond_the_script_fails_the_test() -> None:
    with (
        pytest.raises(AssertionError, match="beyond its end"),
        FakeOpenAI() as server,
        pytest.raises(HTTPError) as caught,
    ):
        post(server, "/chat/completions", {"messages": []})
    assert caught.value.code == 400
    caught.value.close()


def test_closing_leaves_no_thread_even_while_an_answer_hangs() -> None:
    before = threading.active_count()
    with FakeOpenAI([ServerReply(hangs=True)]) as server:
        client = threading.Thread(target=_ask_and_give_up, args=(server,))
        client.start()
        client.join()
    assert threading.active_count() == before


def _ask_and_give_up(server: FakeOpenAI) -> None:
    request = Request(server.base_url + "/chat/completions", b"{}")
    with pytest.raises(TimeoutError):
        urlopen(request, timeout=0.05)


def test_embeddings_are_the_same_for_the_same_text_in_both_encodings() -> None:
    with FakeOpenAI() as server, openai.OpenAI(base_url=server.base_url, api_key="none") as client:
        plain = client.embeddings.create(model="any", input=["rye bread", "黑麦面包"], encoding_format="float")
        packed = client.embeddings.create(model="any", input=["rye bread", "黑麦面包"])
    assert [row.embedding for row in plain.data] == [row.embedding for row in packed.data]
    assert plain.data[0].embedding == hash_vector("rye bread")
    assert len(plain.data[1].embedding) == EMBEDDING_DIMENSIONS


def test_embeddings_can_be_scripted_to_fail() -> None:
    with (
        FakeOpenAI(embeddings=[ServerReply(status=500, text="no memory left")]) as server,
        openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.InternalServerError, match="no memory left"),
    ):
        client.embeddings.create(model="any", input="x")


def test_models_are_listed_and_other_paths_are_not_found() -> None:
    with FakeOpenAI() as server, openai.OpenAI(base_url=server.base_url, api_key="none") as client:
        assert [model.id for model in client.models.list()] == ["fake"]
        with pytest.raises(openai.NotFoundError):
            client.files.list()
