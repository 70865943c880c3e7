"""Codes of learning a form from a workbook, and of trying a definition."""

from __future__ import annotations

from kpixl.problems.entry import E, Entry, I, W

ENTRIES: dict[str, Entry] = {
    "nothing-to-learn": Entry(
        E,
        "工作表“{sheet}”中没有找到标签和填写格，也没有表格。",
        "请指定有表格的空白表（.xlsx），或用 --sheet 指定工作表。",
        "No label with a cell for its value and no table was found on the sheet {sheet}.",
        "Name a workbook with the blank form, or its sheet by --sheet.",
    ),
    "sheet-unknown": Entry(
        E,
        "文件中没有名为“{sheet}”的工作表。",
        "可用的工作表：{known}。",
        "The file has no sheet called {sheet}.",
        "Its sheets: {known}.",
    ),
    "learned-unsure": Entry(
        W,
        "{key}：{reason}。",
        "请对照原表核对 form.yaml 中标有“待核对”的内容。",
        "{key}: {reason}.",
        "Compare with the sheet what form.yaml marks as CHECK.",
    ),
    "definition-label-ambiguous": Entry(
        W,
        "“{label}”同时是 {keys} 的标签或同义写法，收回的表改动过版式时只能凭位置区分。",
        "请去掉多余的 synonyms，或换一个标签。",
        "{label} is a label or synonym of {keys}; on a sheet that was changed only its place tells them apart.",
        "Remove what is too much from synonyms, or choose another label.",
    ),
    "definition-label-long": Entry(
        W,
        "标签有 {length} 个字，超过 {limit} 个字的标签在改动过版式的表上找不到。",
        "请缩短标签，说明文字写入 help。",
        "The label has {length} characters; beyond {limit} it is not found on a sheet that was changed.",
        "Shorten it, and put what explains it into `help`.",
    ),
    "definition-help-missing": Entry(
        I,
        "{count} 个必填项没有填写提示（help）：{fields}。",
        "可为其写一句提示，选中单元格时显示。",
        "{count} required values have no `help`: {fields}.",
        "One sentence is shown when the cell is chosen.",
    ),
    "definition-none-required": Entry(
        W,
        "没有任何必填项，空白的表也会显示“已完成”。",
        "请为必须填写的项加 required: true。",
        "Nothing is required, so that a blank form counts as finished.",
        "Write required: true at what must be filled in.",
    ),
    "definition-list-unused": Entry(
        W,
        "列表 {name} 没有用到。",
        "请删去，或在相应的填写项写 choices: {name}。",
        "The list {name} is not used.",
        "Remove it, or write choices: {name} at the value that it is for.",
    ),
    "definition-column-unplaced": Entry(
        E,
        "表格 {table} 的列 {column} 没有排入 {where}，填写时没有它的位置。",
        "请在 layout 中该表格的 {where} 加上这一列。",
        "The column {column} of {table} is not placed in `{where}`.",
        "Add it to `{where}` of the table in `layout`.",
    ),
    "definition-column-narrow": Entry(
        W,
        "第 {number} 个物理列宽 {width}，内容会显示不全。",
        "请在 layout 的 widths 中加宽。",
        "Physical column {number} has the width {width}: its content cannot be seen.",
        "Make it wider in `widths` of the layout.",
    ),
    "definition-no-rows-map": Entry(
        I,
        "checks 中没有说明各列是什么（rows），多数检查规则不会执行。",
        "请参照 docs/forms.md 写出 checks: rows。",
        "`checks` does not say what the columns are (`rows`), so that most rules do nothing.",
        "Write checks: rows as docs/forms.md shows.",
    ),
    "definition-round-trip": Entry(
        E,
        "样例（{portfolio}）经模板收回后不一致：发出“{sent}”，收回“{back}”。",
        "请对照模板检查该处的标签、位置和类型。",
        "The sample ({portfolio}) came back from the template changed: sent {sent}, back {back}.",
        "Look at label, place and type in the template.",
    ),
    "definition-label-weak": Entry(
        W,
        "表上插入一行且 kpixl 标识丢失后，{key} 不能再按标签读出。",
        "请检查其标签是否与其他文字相同，或版式中填写格是否紧邻标签。",
        "With a row inserted and the kpixl ID gone, {key} is not read by its label any more.",
        "See whether its label reads like another text, and whether the value is beside or below it.",
    ),
    "definition-not-found": Entry(
        W,
        "表上插入一行且 kpixl 标识丢失后，不能再认出“{title}”。",
        "请检查标题和标签。",
        "With a row inserted and the kpixl ID gone, the form {title} is not recognised any more.",
        "See to its title and labels.",
    ),
}
