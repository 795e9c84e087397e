"""From messages to token ids and back, by the model's own chat template.

A conversation is encoded once, at its start. After that only what others say is encoded and put behind
the sampled ids, so a sampled token is never encoded again and every next prompt extends the last one.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from palestra.agents.base import ModelError
from palestra.envs.actions import call_text, compact_json, signature

_MARK = "@@said@@"
_STOP_BYTE = 256


class TemplateChat:
    """Renders with a transformers tokenizer's chat template.

    Where the template has no place for tools they are listed in the system message, one signature a
    line, and calls are asked for as ``<tool_call>{...}</tool_call>``.
    """

    def __init__(self, tokenizer: Any) -> None:
        template = getattr(tokenizer, "chat_template", None)
        if not isinstance(template, str):
            raise ModelError("the model's tokenizer has no chat template; use an instruction-tuned model")
        self.tokenizer = tokenizer
        self.has_tools = "tools" in template
        self._special = sorted(set(tokenizer.all_special_tokens) | set(tokenizer.get_added_vocab()), key=len)
        end = self._encode(self._after_mark([], generate=False))
        if not end:
            raise ModelError("the chat template writes nothing after an assistant's message, so no reply would end")
        eos = tokenizer.eos_token_id
        self.end_id = end[0]
        self.stop_ids = tuple(sorted({end[0], eos} if isinstance(eos, int) else {end[0]}))

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the prompt that asks for the assistant's next message."""
        plain = [self._plain(message) for message in messages]
        if tools and not self.has_tools:
            if not plain or plain[0]["role"] != "system":
                plain.insert(0, {"role": "system", "content": ""})
            plain[0] = {**plain[0], "content": f"{plain[0]['content']}\n{tool_lines(tools)}".strip()}
        return self._encode(self._text(plain, generate=True, tools=tools))

    def extend(self, output_ids: Sequence[int], replies: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the ids that follow a sampled reply up to the next request for one."""
        ids = self._encode(self._after_mark([self._plain(reply) for reply in replies], generate=True))
        ended = bool(output_ids) and output_ids[-1] in self.stop_ids
        return ids[1:] if ended and ids[0] == self.end_id else ids

    def parse(self, output_ids: Sequence[int]) -> str | dict[str, Any]:
        """Return the reply's text, or the message that the tokenizer's own response schema reads in it."""
        said = list(output_ids)
        while said and said[-1] in self.stop_ids:
            said.pop()
        text: str = self.tokenizer.decode(said, skip_special_tokens=False)
        if getattr(self.tokenizer, "response_schema", None):
            try:
                message = self.tokenizer.parse_response(text)
            except Exception:  # a library's parser on hostile text: whatever it raises, the text stands
                return text
            return message if isinstance(message, dict) else text
        return text

    def _plain(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return a message the template understands, its content free of the template's own markup."""
        content = self._harmless(str(message.get("content") or ""))
        plain = {**message, "content": content}
        calls = plain.get("tool_calls", [])
        if calls and not self.has_tools:
            said = [
                f'<tool_call>{{"name":{compact_json(c["function"]["name"])},"arguments":{c["function"]["arguments"]}}}</tool_call>'
                for c in calls
            ]
            plain = {"role": message["role"], "content": "".join([content, *said])}
        return plain

    def _harmless(self, content: str) -> str:
        for token in self._special:
            if token in content:
                content = content.replace(token, f"{token[0]}\u200b{token[1:]}")
        return content

    def _after_mark(self, replies: Sequence[Mapping[str, Any]], *, generate: bool) -> str:
        said = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
        text = self._text([*said, *replies], generate=generate)
        _, mark, after = text.partition(_MARK)
        if not mark:
            raise ModelError("the chat template does not repeat an assistant's message; it cannot be extended")
        return after

    def _text(self, messages: Sequence[Mapping[str, Any]], *, generate: bool, tools: Sequence[Any] = ()) -> str:
        passed = {"tools": [dict(tool) for tool in tools]} if tools and self.has_tools else {}
        text = self.tokenizer.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=generate, **passed
        )
        return str(text)

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False))


class ByteChat:
    """Messages as UTF-8 bytes, for policies that are scripts: one token a byte, 256 ends a reply."""

    stop_ids: tuple[int, ...] = (_STOP_BYTE,)
    end_id = _STOP_BYTE

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the messages' contents as bytes."""
        return _bytes("\n".join(str(message["content"]) for message in messages))

    def extend(self, output_ids: Sequence[int], replies: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the replies' contents as bytes."""
        return _bytes("\n".join(str(reply["content"]) for reply in replies))

    def parse(self, output_ids: Sequence[int]) -> str:
        """Return the bytes as text."""
        return bytes(i for i in output_ids if i != _STOP_BYTE).decode("utf-8", "surrogatepass")

    def encode_reply(self, text: str) -> tuple[int, ...]:
        """Return an action's text as a finished reply's ids."""
        return (*_bytes(text), _STOP_BYTE)


class MessagesChat(ByteChat):
    """A conversation as the bytes of its JSON: for servers with templates of their own, and for replays.

    The prompt's bytes are one JSON document a line: first messages and tools, then, turn by turn, the
    reply and what was said after it.
    """

    def render(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return messages and tools as bytes."""
        return _json_line({"messages": list(messages), "tools": list(tools)})

    def extend(self, output_ids: Sequence[int], replies: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the replies as bytes."""
        return _json_line({"messages": list(replies)})

    def parse(self, output_ids: Sequence[int]) -> Any:
        """Return the assistant message; nothing where a script had nothing left to say."""
        text = super().parse(output_ids)
        return json.loads(text) if text else ""


def _json_line(value: Any) -> list[int]:
    return _bytes(json.dumps(value) + "\n")


def _bytes(text: str) -> list[int]:
    return list(text.encode("utf-8", "surrogatepass"))


def tool_lines(tools: Sequence[Mapping[str, Any]]) -> str:
    """Return tools as one signature a line, with how to call one: short, for small contexts."""
    lines = [f"{signature(tool)}: {tool['function'].get('description', '')}" for tool in tools]
    return "\n".join(["Tools:", *lines, f"Call: {call_text('NAME', {'ARG': 'VALUE'})}"])
