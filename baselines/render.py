"""How a prompt becomes text: one plain rendering, and messages for models with a chat template.

The plain rendering is also the one that the built-in model was trained on::

    {instruction}

    Input: {shot}
    Output: {answer}

    Passage 1: {title}: {text}
    Passage 2: …

    Input: {input}
    Output:

The completion is ``" " + answer``, closed by the end-of-sequence token; a base model that never
learnt that token goes on with a blank line and the next ``Input:``, which is where it's stopped.
"""

from collections.abc import Sequence

from evals.example import Passage, Prompt

STOPS = ("\n\nInput:", "\nInput:", "\n\nPassage 1:")
"""Where an answer in the plain rendering ends when the model doesn't say so itself."""


def render_plain(prompt: Prompt) -> str:
    """Return the text of ``prompt`` for a model without a chat template; it ends with ``Output:``."""
    parts = [prompt.instruction.strip()]
    parts += [f"{render_input(shot.input)} {shot.output.strip()}" for shot in prompt.shots]
    if prompt.passages:
        parts.append(render_passages(prompt.passages))
    parts.append(render_input(prompt.input))
    return "\n\n".join(parts)


def render_input(text: str) -> str:
    """Return one row's input with the cue for its answer."""
    return f"Input: {text.strip()}\nOutput:"


def render_passages(passages: Sequence[Passage]) -> str:
    """Return the passages, numbered from 1, one line each."""
    return "\n".join(
        f"Passage {number}: {passage.title + ': ' if passage.title else ''}{' '.join(passage.text.split())}"
        for number, passage in enumerate(passages, start=1)
    )


def render_messages(prompt: Prompt, *, system_role: bool) -> list[dict[str, str]]:
    """Return chat messages: instruction, shots as turns, then passages and input as the last user turn.

    Without ``system_role`` (some templates refuse it) the instruction opens the first user turn.
    """
    turns: list[dict[str, str]] = []
    for shot in prompt.shots:
        turns += [_message("user", shot.input.strip()), _message("assistant", shot.output.strip())]
    last = [render_passages(prompt.passages)] if prompt.passages else []
    turns.append(_message("user", "\n\n".join([*last, prompt.input.strip()])))
    instruction = prompt.instruction.strip()
    if system_role:
        return [_message("system", instruction), *turns]
    return [_message("user", f"{instruction}\n\n{turns[0]['content']}"), *turns[1:]]


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
