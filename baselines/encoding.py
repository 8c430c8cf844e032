"""From a prompt to the text and the tokens that a model reads, and from an answer to its tokens.

With a chat template the prompt is a chat: the instruction as system message (or, where the template
has no system role, at the head of the first user turn), shots as turns, the input as the last user
turn, and the cue for the assistant's turn. Without one it's ``baselines.render.render_plain``.
Training and inference both go through here, so that a tuned model is asked as it was taught.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from baselines.render import STOPS, render_messages, render_plain
from evals.errors import ModelError
from evals.example import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

RENDERING_VERSION = 1
"""Raised when the same prompt would be rendered or encoded in another way; part of every fingerprint."""

TEMPLATE_SETTINGS = {"enable_thinking": False, "date_string": "26 Jul 2024"}
"""What templates are told: to answer without a chain of thought, and to leave today's date out."""

PROBE = Prompt("zqinstruct", "zqinput")
"""A prompt of words that no template holds, to see what a template makes of it."""

FIXED_DATE = (
    "{% macro strftime_now(format) %}"
    "{% if format == '%Y-%m-%d' %}2024-07-26{% else %}26 Jul 2024{% endif %}"
    "{% endmacro %}"
)
"""Put before a template that asks for today's date, so that a prompt is the same tomorrow."""


class Encoding:
    """How one tokenizer's model is asked."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", end_ids: Sequence[int] = ()) -> None:
        """Keep the tokenizer; ``end_ids`` are the end-of-sequence ids that the model's config names."""
        self.tokenizer = tokenizer
        self._config_ends = tuple(end_ids)

    @cached_property
    def template(self) -> str | None:
        """The chat template, or None."""
        template = getattr(self.tokenizer, "chat_template", None)
        if isinstance(template, dict):
            template = template.get("default")
        if template and "strftime_now" in template:
            template = FIXED_DATE + template
        return template or None

    @cached_property
    def system_role(self) -> bool:
        """Whether the template shows a system message; some refuse it, some leave it out in silence."""
        messages = render_messages(PROBE, system_role=True)
        try:
            return PROBE.instruction in self._apply(messages, cue=True)
        except ModelError:
            return False

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings that end an answer which isn't ended by a token."""
        return STOPS if self.template is None or self.answer_end_id is None else ()

    def render(self, prompt: Prompt) -> str:
        """Return the very text that the model reads. Raises ``ModelError`` when the template fails."""
        if self.template is None:
            return render_plain(prompt)
        return self._apply(render_messages(prompt, system_role=self.system_role), cue=True)

    def encode_texts(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the token ids of rendered prompts, with whatever the model expects before them (BOS)."""
        if not texts:
            return []
        bare = self._bare(texts)
        return [[*self._opening, *ids] for ids in bare] if self.template is None else bare

    def encode_answers(self, answers: Sequence[str]) -> list[list[int]]:
        """Return the ids of each answer as it stands behind a prompt: no BOS, no end token.

        They are what the prompt's tokens are continued by, so a tokenizer that treats the start of a text
        in a special way (SentencePiece's leading space) doesn't do so here.
        """
        if not answers:
            return []
        completions = [answer if self.template is not None else f" {answer}" for answer in answers]
        cue, *behind = self._bare([self._cue, *(self._cue + completion for completion in completions)])
        alone = self._bare(completions)
        return [
            whole[len(cue) :] if whole[: len(cue)] == cue else bare for whole, bare in zip(behind, alone, strict=True)
        ]

    def count_tokens(self, text: str) -> int:
        """Return the number of tokens of ``text`` alone, without special ones."""
        return len(self._bare([text])[0])

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of generated ids without special tokens."""
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    @cached_property
    def answer_end_id(self) -> int | None:
        """The token that closes an answer: the end of a chat turn, else end-of-sequence, else None."""
        if self.template is not None:
            turn_end = self._turn_end()
            if turn_end is not None:
                return turn_end
        eos: int | None = self.tokenizer.eos_token_id
        return eos if eos is not None else next(iter(self._config_ends), None)

    @cached_property
    def end_token_ids(self) -> frozenset[int]:
        """Every token at which generation ends."""
        ends = {self.answer_end_id, self.tokenizer.eos_token_id, *self._config_ends}
        return frozenset(end for end in ends if end is not None)

    @cached_property
    def after_answer_ids(self) -> frozenset[int]:
        """Every token that says, right behind an answer, that it's over: end tokens, and how a stop string begins."""
        answer = f"{self._cue} a"
        before, *behind = self._bare([answer, *(answer + stop for stop in self.stops)])
        alone = self._bare(self.stops) if self.stops else []
        begun = [
            whole[len(before)] if whole[: len(before)] == before else bare[0]
            for whole, bare in zip(behind, alone, strict=True)
        ]
        return self.end_token_ids.union(begun)

    @cached_property
    def _opening(self) -> list[int]:
        """What the tokenizer puts before a text by itself: BOS or nothing."""
        whole: list[int] = self.tokenizer("a", add_special_tokens=True)["input_ids"]
        bare = self._bare(["a"])[0]
        starts = [start for start in range(len(whole)) if whole[start : start + len(bare)] == bare]
        return whole[: starts[0]] if starts else []

    @cached_property
    def _cue(self) -> str:
        """The last line of every prompt, which an answer follows."""
        return self.render(PROBE).rpartition(PROBE.input)[2]

    def _turn_end(self) -> int | None:
        answer = "zqanswer"
        messages = render_messages(PROBE, system_role=self.system_role)
        text = self._apply([*messages, {"role": "assistant", "content": answer}], cue=False)
        _, found, rest = text.rpartition(answer)
        special = set(self.tokenizer.all_special_ids) | {
            index for index, token in self.tokenizer.added_tokens_decoder.items() if token.special
        }
        return next((index for index in self._bare([rest])[0] if index in special), None) if found else None

    def _bare(self, texts: Sequence[str]) -> list[list[int]]:
        encoded: list[list[int]] = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return encoded

    def _apply(self, messages: Sequence[dict[str, str]], *, cue: bool) -> str:
        try:
            text: str = self.tokenizer.apply_chat_template(
                list(messages),
                chat_template=self.template,
                tokenize=False,
                add_generation_prompt=cue,
                **TEMPLATE_SETTINGS,
            )
        except Exception as error:  # a template is a program of its own and may raise anything
            first = str(error).strip().partition("\n")[0]
            raise ModelError(f"the tokenizer's chat template can't render the prompt: {first}") from error
        return text
