"""Title and type of a document that was handed over."""

from __future__ import annotations

import re

from mirix.models.builtin.signals import has

_END_MARKS = " ::,,\n"
_LEAD = re.compile(
    r"(?i)^(?:please |can you |could you )?(?:keep|save|store|file|archive|here(?:'s| is| are)|"
    r"forwarding|put|hang on to|hold on to)\b[^:\n]{0,80}:\s*|^[^::\n]{0,30}(?:存|留|收|归档|转|"
    r"贴)[^::\n]{0,16}[::]\s*"
)
_TYPES = (
    ("code", r"```|\bdef \w+\(|\bfunction \w+\(|#include|\bSELECT\b.+\bFROM\b|\bimport \w+"),
    ("configuration", r"(?m)^\[\w+\]\s*$|^\w[\w.-]*\s*=\s*\S+\n\w[\w.-]*\s*=|^\w+:\s*\n\s+\w+:"),
    ("recipe", r"(?i)\brecipe\b|\bingredients\b|\b\d+ ?g \w+|菜谱|方子|配料|[两克勺]\S{0,6}(?:糖|盐|油|面)"),
    ("email", r"(?im)^(?:subject|from|to|cc):|\be-?mail\b|发件人|收件人|主题[::]|邮件"),
    ("letter", r"(?im)^dear \w+|yours (?:sincerely|faithfully)|\bletter\b|尊敬的|此致|来信|信件"),
    ("chat", r"\bchat\b|\bthread\b|聊天记录|群聊"),
    ("minutes", r"(?i)\bminutes\b|\bagenda\b|纪要|议程"),
    ("notes", r"(?i)\bnotes?\b|笔记|记录"),
    ("manual", r"(?i)\bmanual\b|\binstructions\b|\brun ?book\b|手册|说明书|步骤"),
    ("article", r"(?i)\barticle\b|\bessay\b|文章|报道"),
    ("fiction", r"(?i)\bpoem\b|\bstory\b|\bchapter\b|\bnovel\b|诗|小说|故事"),
)


def document_title(text: str) -> str:
    """The subject, the heading or the first line that says what it is."""
    subject = re.search(r"(?im)^(?:subject|re|主题)[::]\s*(.+)$", text)
    if subject:
        return subject.group(1).strip()
    addressed = re.search(r"(?m)^Dear ([A-Z][^,\n]{1,40}),|^尊敬的([^:,\n]{1,16})[:,]", text)
    if addressed:
        return f"Letter to {addressed.group(1)}" if addressed.group(1) else f"致{addressed.group(2)}的信"
    named = re.search(r"《([^》]{2,40})》", text)
    if named:
        return named.group(1)
    heading = re.search(r"(?m)^#+ (.+)$", text)
    if heading and not has("code", text):
        return heading.group(1).strip()
    lead = _LEAD.match(text.strip())
    lines = [line.strip() for line in text.strip().splitlines() if line.strip(" `-#*")]
    if lead and lead.group().rstrip(_END_MARKS):
        title = re.sub(
            r"(?i)^(?:please |can you |could you )?(?:keep|save|store|file|archive|put|hang on to|"
            r"hold on to|forwarding|here(?:'s| is| are))\s*(?:this|that|the|my|our)?\s*|\s*(?:for me|"
            r"please|keep it|keep them)\b.*$|"
            r"(?:帮我|请)?(?:存|留|收|归档|转)(?:一下|着|好|起来|个底)?|[,,]$",
            "",
            lead.group().rstrip(_END_MARKS),
        ).strip(_END_MARKS)
        if len(title) >= 2:
            return title[:80]
        lines = lines[1:] or lines
    return (lines[0] if lines else text.strip())[:80]


def document_type(text: str, file_name: str = "") -> str:
    """What sort of document, in one word."""
    if re.search(r"\.(?:py|js|ts|sh|sql|go|rs|java|c|cpp)$", file_name):
        return "code"
    if re.search(r"\.(?:ya?ml|toml|ini|json|conf|cfg)$", file_name):
        return "configuration"
    if has("chat_thread", text) and not has("letter", text):
        return "chat"
    return next((name for name, pattern in _TYPES if re.search(pattern, text)), "document")
