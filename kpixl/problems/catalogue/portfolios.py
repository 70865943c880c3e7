"""Portfolios, forms and lists."""

from __future__ import annotations

from kpixl.problems.entry import E, Entry, I, W

ENTRIES: dict[str, Entry] = {
    "not-utf8": Entry(
        E,
        "不是 UTF-8 文本：{reason}。",
        "请用 UTF-8 编码保存。",
        "This is not UTF-8 text: {reason}.",
        "Save it in UTF-8.",
    ),
    "yaml-syntax": Entry(
        E,
        "第 {line} 行：YAML 语法有误（{reason}）。",
        "请检查该行的缩进、冒号和引号。",
        "Line {line}: not valid YAML ({reason}).",
        "Check indentation, colons and quotes there.",
    ),
    "yaml-alias": Entry(
        E,
        "第 {line} 行：不允许使用 YAML 锚点或别名（& 或 *）。",
        "请直接写出内容；以 & 或 * 开头的文字请加引号。",
        "Line {line}: YAML anchors and aliases (& or *) are not allowed.",
        "Write the value out; quote a text that begins with & or *.",
    ),
    "key-duplicate": Entry(
        E,
        "第 {line} 行：“{key}”重复出现。",
        "请删除其中一个。",
        "Line {line}: {key} stands twice.",
        "Delete one of them.",
    ),
    "key-unknown": Entry(
        E,
        "第 {line} 行：不认识“{key}”。",
        "{suggestion}",
        "Line {line}: unknown key {key}.",
        "{suggestion}",
    ),
    "key-missing": Entry(
        E,
        "第 {line} 行：缺少“{key}”。",
        "请加上 {key}。",
        "Line {line}: {key} is missing.",
        "Add {key}.",
    ),
    "value-wrong": Entry(
        E,
        "第 {line} 行：“{key}”的内容应为{expected}，现在是 {found}。",
        "请改为{expected}。",
        "Line {line}: {key} should be {expected}, it is {found}.",
        "Make it {expected}.",
    ),
    "id-duplicate": Entry(
        E,
        "第 {line} 行：项目编号 {id} 重复。",
        "每个项目用不同的编号。",
        "Line {line}: the project id {id} is used twice.",
        "Give each project an id of its own.",
    ),
    "text-refused": Entry(
        E,
        "第 {line} 行：“{key}”含有 Excel 无法保存的字符（{found}）。",
        "请删除该字符。",
        "Line {line}: {key} holds a character that Excel cannot store ({found}).",
        "Delete the character.",
    ),
    "text-too-long": Entry(
        E,
        "第 {line} 行：“{key}”有 {length} 个字符，Excel 单元格最多 {limit} 个。",
        "请缩短内容。",
        "Line {line}: {key} has {length} characters, an Excel cell holds at most {limit}.",
        "Shorten it.",
    ),
    "form-unknown": Entry(
        E,
        "没有名为“{form}”的表式。",
        "可用的表式：{known}（见 kpixl forms）。",
        "There is no form called {form}.",
        "Known forms: {known} (see kpixl forms).",
    ),
    "form-invalid": Entry(
        E,
        "表式定义有误：{key}：{reason}。",
        "请按 docs/forms.md 修改该处。",
        "The form definition is wrong: {key}: {reason}.",
        "Correct it there, see docs/forms.md.",
    ),
    "list-no-header": Entry(
        E,
        "清单中没有找到表头行（至少要有“{label}”）。找到的内容：{found}。",
        "请在第一行写出标签：{labels}。",
        "Found no header row in the list (it needs at least {label}). Found: {found}.",
        "Put these labels into the first row: {labels}.",
    ),
    "list-column-unknown": Entry(
        W,
        "清单中的列“{label}”不属于本表，未读取。",
        "可用的列：{labels}。",
        "The column {label} of the list is not part of the form and was not read.",
        "Columns that are: {labels}.",
    ),
    "list-name-twice": Entry(
        E,
        "清单中“{name}”（{unit}）出现了两次。",
        "请删除重复行，或用编号列加以区分。",
        "{name} ({unit}) stands twice in the list.",
        "Delete one row, or tell them apart with an id column.",
    ),
    "list-row-gone": Entry(
        W,
        "项目 {id}“{name}”已不在清单中，从项目名册移除。",
        "如仍需保留，请把它加回清单。",
        "Project {id} {name} is no longer in the list and was removed from the roster.",
        "To keep it, put it back into the list.",
    ),
    "list-total-skipped": Entry(
        I,
        "“{text}”一行是合计，不作为项目。",
        "",
        "The row {text} is a total, not a project.",
        "",
    ),
    "list-ids-repeated": Entry(
        W,
        "“{label}”列有重复（{found}），不能作为项目编号，编号已另行分配。",
        "如该列是项目编号，请改正重复的编号后重新运行。",
        "The column {label} repeats {found} and cannot tell projects apart; other ids were assigned.",
        "If these are the ids of the projects, correct the repeated ones and run it again.",
    ),
}
