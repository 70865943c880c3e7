"""The office's kpixl.yaml: waivers and nothing-to-report entries."""

from __future__ import annotations

from kpixl.problems.entry import E, Entry, I, W

ENTRIES: dict[str, Entry] = {
    "config-code-unknown": Entry(
        E,
        "第 {line} 行：{key} 中的“{code}”不是规则代码、代码前缀或类别。",
        "{suggestion}",
        "Line {line}: {code} under {key} is no code, prefix of codes or category.",
        "{suggestion}",
    ),
    "waiver-no-reason": Entry(
        E,
        "第 {line} 行：豁免没有写理由。",
        "请加上 reason，例如 reason: 抚恤金项目不设满意度。",
        "Line {line}: the waiver gives no reason.",
        "Add reason: and why this project is exempt.",
    ),
    "waiver-unused": Entry(
        W,
        "第 {line} 行：豁免（项目 {project}，{code}）没有对应的问题。",
        "请删除这条豁免，或核对项目编号和代码。",
        "Line {line}: the waiver of {code} for project {project} matches nothing.",
        "Delete the waiver, or check its project and code.",
    ),
    "nothing-to-report": Entry(
        I,
        "项目 {id}“{name}”（{unit}）已声明无需申报：{reason}",
        "",
        "Nothing is to be reported of project {id} {name} ({unit}): {reason}",
        "",
    ),
    "declaration-unknown": Entry(
        W,
        "第 {line} 行：项目名册中没有“{name}”，这条无需申报的声明不起作用。",
        "{suggestion}",
        "Line {line}: the roster has no {name}; the declaration that nothing is to be reported has no effect.",
        "{suggestion}",
    ),
    "declaration-contradicted": Entry(
        W,
        "第 {line} 行：“{name}”声明无需申报，但项目 {ids} 已交回，按已交回处理。",
        "请与该单位核实，然后删去这条声明，或移走交回的文件。",
        "Line {line}: nothing is to be reported of {name}, but project {ids} came back; it counts as returned.",
        "Ask the unit, then delete the declaration or take the returned file away.",
    ),
}
