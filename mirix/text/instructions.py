"""Tells text that tries to command an assistant from text that merely informs. Pure; English and Chinese.

Used on what merely passed over the screen (trust 1): such text may be remembered, but what reads like an order to an
assistant or its memory is quarantined instead of filed.
"""

from __future__ import annotations

import regex

_ORDERS = regex.compile(
    r"""
    \b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:previous|prior|earlier|above|all|your|system)\b[^.\n]{0,40}
        \b(?:instructions?|prompts?|rules?|messages?|memor(?:y|ies)|guidelines?)\b
    | \b(?:you\ are\ now|act\ as|pretend\ to\ be|from\ now\ on,?\ you|new\ instructions?\s*:
        |system\s+(?:prompt|message)\s*:)
    | \b(?:assistant|ai|llm|chatgpt|claude|gpt|model|agent|bot)s?\b[^.\n]{0,60}
        \b(?:must|should|shall|have\ to|need\ to|are\ to|is\ to|please)\b[^.\n]{0,40}
        \b(?:remember|store|save|memori[sz]e|delete|forget|send|reveal|tell|always|never|reply|answer|recommend
        |execute|run|call)\b
    | \b(?:remember|memori[sz]e|store|save|note)\b[^.\n]{0,30}
        \b(?:in|to)\s+(?:your|the)\s+(?:core|long[- ]term|permanent)?\s*memory\b
    | \b(?:when(?:ever)?|if|next\ time)\ (?:the\ )?user\b[^.\n]{0,80}
        \b(?:say|tell|reply|answer|send|recommend|reveal|always|never)\b
    | \b(?:core|episodic|semantic|procedural|resource)_memory_\w+
    | \bknowledge_vault_\w+ | \btrigger_memory_update\b | <\|?im_start
    | (?:忽略|无视|忘记|忘掉|覆盖)[^。\n]{0,20}(?:之前|以上|先前|所有|系统|上面)
        [^。\n]{0,15}(?:指令|指示|提示|规则|设定|记忆|内容)
    | (?:你现在是|从现在起你|从今以后你|请扮演|新的?指令[::]|系统提示[::])
    | (?:助手|AI|人工智能|模型|智能体|机器人)[^。\n]{0,20}(?:必须|应当|应该|务必|请|要)
        [^。\n]{0,20}(?:记住|保存|删除|忘记|发送|透露|告诉|始终|永远|回答|推荐|执行)
    | (?:记|存|写)(?:住|入|到|进)[^。\n]{0,12}(?:核心|长期|永久)?记忆(?:里|中|库)?
    | (?:当|如果|每当|下次)用户[^。\n]{0,30}(?:就说|回答|告诉|发送|推荐|回复)
    """,
    regex.VERBOSE | regex.IGNORECASE,
)


def looks_like_instruction(text: str) -> bool:
    """Whether the text speaks to an assistant in order to steer it."""
    return _ORDERS.search(text) is not None


def instruction_in(text: str) -> str | None:
    """The words that speak to an assistant in order to steer it; the first of them."""
    found = _ORDERS.search(text)
    return found.group() if found else None
