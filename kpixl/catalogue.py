"""Every problem code: severity, and message and hint in Chinese and English. docs/problems.md is made from it."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One code: severity and the four texts."""

    severity: str
    zh: str
    zh_hint: str
    en: str
    en_hint: str

    def message(self, lang: str) -> str:
        """Return the message template in `lang`."""
        return self.en if lang == "en" else self.zh

    def hint(self, lang: str) -> str:
        """Return the hint template in `lang`."""
        return self.en_hint if lang == "en" else self.zh_hint


E, W, I = "error", "warning", "info"  # noqa: E741 - three columns of a table

CATALOGUE: dict[str, Entry] = {
    # --- files -------------------------------------------------------------------------------
    "path-missing": Entry(
        E, "找不到 {path}。", "请检查路径是否写对。", "There is no {path}.", "Check the spelling of the path."
    ),
    "nothing-to-read": Entry(
        E,
        "在 {path} 中没有找到可读取的文件。",
        "请指定存放填报文件（.xlsx、.xls、.ods、.txt 等）的文件夹。",
        "Found no file to read in {path}.",
        "Name the folder that holds the returned files (.xlsx, .xls, .ods, .txt ...).",
    ),
    "folder-missing": Entry(
        E,
        "输出文件夹 {path} 不存在。",
        "请先建立该文件夹，或换一个输出位置。",
        "The output folder {path} does not exist.",
        "Make the folder first, or choose another place for the output.",
    ),
    "not-a-file-name": Entry(
        E,
        "{path} 是文件夹，不能作为输出文件。",
        "请写出文件名，例如 {path}/2026.yaml。",
        "{path} is a folder, not a file to write.",
        "Give a file name, for example {path}/2026.yaml.",
    ),
    "not-a-folder": Entry(
        E,
        "{path} 是文件，不能作为输出文件夹。",
        "按 {field} 拆分时，-o 应为文件夹。",
        "{path} is a file, not a folder.",
        "With --split-by {field}, -o names a folder.",
    ),
    "output-is-input": Entry(
        E,
        "输出文件 {path} 同时是要读取的文件。",
        "请换一个输出文件名；kpixl 不改动提交的文件。",
        "The output {path} is one of the files to be read.",
        "Choose another name for the output; kpixl never changes a returned file.",
    ),
    "no-projects": Entry(
        E,
        "没有读到任何项目，未写出文件。",
        "请先处理上面列出的问题。",
        "Not one project was read; nothing was written.",
        "See to the problems listed above.",
    ),
    "not-writable": Entry(
        E,
        "无法写入 {path}：{reason}。",
        "若文件正在 Excel 中打开，请先关闭。",
        "Cannot write {path}: {reason}.",
        "If the file is open in Excel, close it first.",
    ),
    "not-readable": Entry(
        E,
        "无法读取文件：{reason}。",
        "请检查文件权限。",
        "The file cannot be read: {reason}.",
        "Check its permissions.",
    ),
    "file-skipped": Entry(
        I,
        "已跳过：{reason}。",
        "",
        "Skipped: {reason}.",
        "",
    ),
    "file-too-large": Entry(
        E,
        "文件过大：{size} 字节，上限 {limit}。",
        "请删除粘贴的图片或空白格式行后重新保存；确需读取时可用 --max-file-size 提高上限。",
        "The file is too large: {size} bytes, the limit is {limit}.",
        "Remove pasted pictures or formatted empty rows and save it again, or raise --max-file-size.",
    ),
    "sheet-too-large": Entry(
        E,
        "工作表的使用范围有 {cells} 个单元格，上限 {limit}。",
        "请删除表格下方和右侧带格式的空行空列后重新保存。",
        "The used range of the sheet has {cells} cells, the limit is {limit}.",
        "Delete the formatted empty rows and columns below and beside the table and save it again.",
    ),
    "not-a-workbook": Entry(
        E,
        "这不是可以读取的工作簿：{reason}。",
        "请用 Excel 或 WPS 打开原文件，另存为 .xlsx 后重新提交。",
        "This is not a workbook that can be read: {reason}.",
        "Open the original in Excel or WPS, save it as .xlsx and send it again.",
    ),
    "password": Entry(
        E,
        "文件设有打开密码，无法读取。",
        "请在 Excel 中取消密码（文件 › 信息 › 保护工作簿 › 用密码进行加密，清空密码）后重新提交。",
        "The file is protected by a password and cannot be read.",
        "Remove the password in Excel (File › Info › Protect Workbook › Encrypt with Password) and send it again.",
    ),
    "no-sheets": Entry(
        E,
        "文件中没有找到任何工作表。",
        "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交。",
        "No sheet was found in the file.",
        "Open it in Excel or WPS, save it as .xlsx and send it again.",
    ),
    "reader-died": Entry(
        E,
        "读取该文件时程序中断（{reason}），其他文件不受影响。",
        "请用 Excel 或 WPS 打开，另存为 .xlsx 后重新提交。",
        "Reading this file broke off ({reason}); other files are not affected.",
        "Open it in Excel or WPS, save it as .xlsx and send it again.",
    ),
    # --- recognising forms -------------------------------------------------------------------
    "no-form": Entry(
        E,
        "没有找到“{title}”。找到的标签：{found}；缺少：{missing}。",
        "请确认寄来的是本表；若是其他格式，请把内容填入本表后重新提交。",
        "Found no {title}. Labels found: {found}; missing: {missing}.",
        "Check that this is the right form; if it is another one, copy its contents into ours.",
    ),
    "sheet-skipped": Entry(
        I,
        "工作表中没有申报表，已跳过。",
        "",
        "The sheet holds no form and was skipped.",
        "",
    ),
    "sheet-hidden": Entry(
        W,
        "隐藏的工作表中有申报表，已读取。",
        "请确认该项目是否应当申报；不申报请删除工作表。",
        "A hidden sheet holds a form; it was read.",
        "Decide whether this project is to be declared; if not, delete the sheet.",
    ),
    "own-output-skipped": Entry(
        I,
        "这是 kpixl 生成的汇总表，已跳过。",
        "如需读取，请直接写出该文件名。",
        "This is a summary made by kpixl and was skipped.",
        "Name the file itself to have it read.",
    ),
    "label-missing": Entry(
        W,
        "没有找到标签“{label}”，该项按空白处理。",
        "请恢复标签“{label}”及其填写内容。",
        "The label {label} was not found; its value is taken as blank.",
        "Restore the label {label} and its value.",
    ),
    "label-ambiguous": Entry(
        W,
        "标签“{label}”只找到一部分，按位置判断为“{reading}”。",
        "请核对该项金额属于哪一栏。",
        "Only some of the labels {label} were found; by its position this one was read as {reading}.",
        "Check which column the value belongs to.",
    ),
    "column-shift": Entry(
        W,
        "这一行的内容没有对齐表头，按内容归位：{reading}。",
        "请核对各项是否在正确的列。",
        "The row does not line up with the header; it was read by content: {reading}.",
        "Check that each value is in its column.",
    ),
    "stray-text": Entry(
        W,
        "表格以外有内容，未汇总：{text}",
        "如属填报内容，请移到相应单元格；如为批注，可以忽略。",
        "There is text outside the form that was not taken up: {text}",
        "If it belongs to the form, move it to its cell; a remark may stay.",
    ),
    "cells-joined": Entry(
        W,
        "“{label}”分在 {count} 个单元格中，已按换行合并。",
        "请核对合并后的内容。",
        "{label} stood in {count} cells; they were joined with line breaks.",
        "Check the joined text.",
    ),
    "value-normalised": Entry(
        I,
        "“{raw}”读作“{reading}”。",
        "",
        "{raw} was read as {reading}.",
        "",
    ),
    "formula-overwritten": Entry(
        W,
        "合计单元格的公式被数字 {raw} 替换。",
        "请恢复公式，或核对各分项之和。",
        "The formula of the total was replaced by the number {raw}.",
        "Restore the formula, or check its parts.",
    ),
    # --- values ------------------------------------------------------------------------------
    "value-unread": Entry(
        E,
        "“{raw}”不是{type}，已按原文保留。",
        "请填写{expected}。",
        "{raw} is not {type}; it was kept as typed.",
        "Type {expected}.",
    ),
    "required-blank": Entry(
        W,
        "“{label}”没有填写。",
        "请填写“{label}”。",
        "{label} is blank.",
        "Fill in {label}.",
    ),
    "no-rows": Entry(
        W,
        "没有填写任何{label}。",
        "请至少填写一条。",
        "There is no row under {label}.",
        "Fill in at least one.",
    ),
    "sum-mismatch": Entry(
        E,
        "“{label}”为 {amount}，各分项之和为 {sum}，相差 {difference}。",
        "请改正分项（{parts}），或将合计改为 {sum}。",
        "{label} is {amount}, its parts add up to {sum}, a difference of {difference}.",
        "Correct a part ({parts}), or set the total to {sum}.",
    ),
    # --- identity ----------------------------------------------------------------------------
    "returned-twice": Entry(
        I,
        "项目 {id} 重复提交，内容相同：{other}。",
        "",
        "Project {id} came back twice with the same content: {other}.",
        "",
    ),
    "returned-differently": Entry(
        E,
        "项目 {id} 提交了不同的两份，采用 {used}，未采用本份。差异：{differences}。",
        "请确认以哪一份为准，移走另一份后重新汇总。",
        "Project {id} came back in two versions; {used} was taken, this one was not. Differences: {differences}.",
        "Decide which one counts, move the other away and consolidate again.",
    ),
    "marker-form": Entry(
        E,
        "表内标识属于另一种表（{other}）。",
        "请用本年度下发的表重新填写。",
        "The marker in the sheet belongs to another form ({other}).",
        "Fill in the workbook that was sent out this year.",
    ),
    "marker-version": Entry(
        W,
        "表内标识的版本是 {other}，当前版本是 {version}；已按标签读取。",
        "请核对读取结果。",
        "The marker says version {other}, this is {version}; the sheet was read by its labels.",
        "Check what was read.",
    ),
    "marker-year": Entry(
        W,
        "这张表是 {other} 年度的，本次汇总 {year} 年度。",
        "请确认是否误交了往年的文件。",
        "This sheet is of the year {other}, the others are of {year}.",
        "Check whether last year's file was sent by mistake.",
    ),
    "marker-portfolio": Entry(
        W,
        "这张表属于另一套项目（{other}）。",
        "请确认该项目是否属于本单位。",
        "This sheet belongs to another set of projects ({other}).",
        "Check whether the project is one of yours.",
    ),
    "marker-copied": Entry(
        W,
        "工作表带有项目 {id} 的标识，像是复制来的，但项目名称是“{name}”，作为新项目 {new} 汇总。",
        "如确为新项目，可以忽略；如只是改名，请在花名册中更正名称。",
        "The sheet carries the marker of project {id}, as copies do, but names the project {name}; taken as new, {new}.",
        "If the project is new, this is fine; if it was only renamed, correct the roster.",
    ),
    "matched-by-name": Entry(
        I,
        "没有标识，按名称和单位认作项目 {id}。",
        "",
        "There is no marker; by name and unit this is project {id}.",
        "",
    ),
    "not-in-roster": Entry(
        W,
        "“{name}”不在花名册中，编号为 {id}。{suggestion}",
        "如应在册，请更正名称或花名册。",
        "{name} is not in the roster; it was given the id {id}. {suggestion}",
        "If it should be there, correct its name or the roster.",
    ),
    "not-returned": Entry(
        W,
        "花名册中的项目 {id}“{name}”（{unit}）没有交回。",
        "请催交。",
        "Project {id} {name} ({unit}) of the roster has not come back.",
        "Remind the unit.",
    ),
    # --- portfolios, forms, lists -------------------------------------------------------------
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
        "请按 docs/forms.md 修改 form.yaml。",
        "The form definition is wrong: {key}: {reason}.",
        "Correct form.yaml, see docs/forms.md.",
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
        "项目 {id}“{name}”已不在清单中，从花名册移除。",
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
    # --- outputs -----------------------------------------------------------------------------
    "too-many-sheets": Entry(
        E,
        "{count} 个项目放不进一个工作簿，上限 {limit}。",
        "请用 --split-by 按单位拆分。",
        "{count} projects do not fit into one workbook, the limit is {limit}.",
        "Split them with --split-by, for example by unit.",
    ),
    "forms-left-out": Entry(
        W,
        "共 {count} 个项目，超过 {limit} 个，汇总工作簿不含“申报表”页，以免 Excel 打开过慢。",
        "用 kpixl publish 生成网页版申报表，或加 --forms 强制写入。",
        "There are {count} projects, more than {limit}: the sheet with all forms was left out so that Excel opens quickly.",
        "Make the page with kpixl publish, or force the sheet with --forms.",
    ),
    "summary-edited": Entry(
        W,
        "旧汇总表“{sheet}”被手工改动（{cells}）。旧文件已另存为 {copy}。",
        "请把需要保留的改动改到填报文件或 YAML 中。",
        "The sheet {sheet} of the old summary was edited by hand ({cells}). The old file was kept as {copy}.",
        "Make the changes you want to keep in the submissions or in the YAML file.",
    ),
    "summary-not-carried": Entry(
        W,
        "旧汇总工作簿中有无法带入新文件的内容：{what}。旧文件已另存为 {copy}。",
        "请从旧文件复制需要的内容。",
        "The old summary holds things that cannot be carried over: {what}. The old file was kept as {copy}.",
        "Copy what you need from the old file.",
    ),
    "summary-not-ours": Entry(
        W,
        "{path} 不是 kpixl 生成的汇总表。旧文件已另存为 {copy}。",
        "",
        "{path} was not a summary made by kpixl. The old file was kept as {copy}.",
        "",
    ),
    "sheet-carried": Entry(
        I,
        "工作表“{sheet}”已带入新文件。",
        "",
        "The sheet {sheet} was carried over.",
        "",
    ),
}
