"""Files and sheets that cannot be read."""

from __future__ import annotations

from kpixl.problems.entry import E, Entry, I, W

ENTRIES: dict[str, Entry] = {
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
    "not-a-regular-file": Entry(
        E,
        "{path} 是{kind}，不是文件，无法读取。",
        "请写出文件或文件夹的名称。",
        "{path} is {kind}, not a file, and cannot be read.",
        "Name a file or a folder.",
    ),
    "entry-skipped": Entry(
        W,
        "这是{kind}，没有读取。",
        "其中如有填报文件，请把文件本身放进文件夹后重新运行。",
        "This is {kind}; it was not read.",
        "If returned files are behind it, put the files themselves into the folder and run again.",
    ),
    "folder-unreadable": Entry(
        E,
        "无法打开文件夹：{reason}；其中的文件没有读取。",
        "请取得文件夹的读取权限后重新运行。",
        "The folder cannot be opened: {reason}; the files in it were not read.",
        "Get the permission to read it and run again.",
    ),
    "file-too-large": Entry(
        E,
        "文件过大：{size} 字节，上限 {limit}。",
        "请删除粘贴的图片或空白格式行后重新保存；确需读取时，加上 {option} 再运行。",
        "The file is too large: {size} bytes, the limit is {limit}.",
        "Remove pasted pictures or formatted empty rows and save it again; if it must be read, add {option}.",
    ),
    "sheet-too-large": Entry(
        E,
        "工作表的使用范围有 {cells} 个单元格，上限 {limit}。",
        "请删除表格下方和右侧带格式的空行空列后重新保存；确需读取时，加上 {option} 再运行。",
        "The used range of the sheet has {cells} cells, the limit is {limit}.",
        "Delete the formatted empty rows and columns below and beside the table and save it again; if it must be read, "
        "add {option}.",
    ),
    "not-a-workbook": Entry(
        E,
        "这不是可以读取的工作簿：{reason}。",
        "请用 Excel 或 WPS 打开原文件，另存为 .xlsx 后重新提交。",
        "This is not a workbook that can be read: {reason}.",
        "Open the original in Excel or WPS, save it as .xlsx and send it again.",
    ),
    "file-empty": Entry(
        E,
        "文件是空的（0 字节）。",
        "多半没有保存完或没有传完，请找到原文件重新提交。",
        "The file is empty (0 bytes).",
        "It was probably not saved or sent whole; find the original and send it again.",
    ),
    "cell-damaged": Entry(
        E,
        "单元格的内容已损坏（文件中写的是“{text}”），没有读到内容。",
        "请用 Excel 或 WPS 打开核对，重新填写这个单元格，另存为 .xlsx 后重新提交。",
        "The content of the cell is damaged (the file has “{text}” there); no value was read.",
        "Open it in Excel or WPS, type the cell again, save it as .xlsx and send it again.",
    ),
    "other-kind": Entry(
        E,
        "这是{kind}，kpixl 不能读取。",
        "{remedy}",
        "This is {kind}, which kpixl does not read.",
        "{remedy}",
    ),
    "bound-exceeded": Entry(
        E,
        "{what}为 {found}，超过上限 {limit}。",
        "请删除图片、空白格式行等与填报无关的内容，另存为 .xlsx 后重新提交；确需读取时，加上 {option} 再运行。",
        "{what} is {found}, beyond the limit of {limit}.",
        "Remove pictures, formatted empty rows and all else that is not the form, save it as .xlsx and send it again; "
        "if it must be read, add {option}.",
    ),
    "pdf-no-text": Entry(
        E,
        "PDF 中只有图像，没有文字（多为扫描件）。",
        "请提交可以编辑的原文件（.xlsx），或由它另存的 PDF。",
        "The PDF holds images and no text, as scans do.",
        "Send the original that can be edited (.xlsx), or a PDF saved from it.",
    ),
    "password": Entry(
        E,
        "文件设有打开密码，无法读取。",
        "请在 Excel 中取消密码（文件 › 信息 › 保护工作簿 › 用密码进行加密，清空密码）后重新提交；"
        "打开时并不要求密码的，另存为 .xlsx 即可。",
        "The file is protected by a password and cannot be read.",
        "Remove the password in Excel (File › Info › Protect Workbook › Encrypt with Password) and send it again; "
        "a file that opens without asking for one only needs to be saved as .xlsx.",
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
}
