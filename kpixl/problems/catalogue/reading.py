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
    "read-again": Entry(
        I,
        "指定的执行器没有读出该文件（{reason}），已在本机读取。",
        "结果不受影响；如多次出现，请检查各工作节点是否装有相同版本的 kpixl。",
        "The executor did not read this file ({reason}); it was read on this machine.",
        "The result is the same. If it happens often, check that every worker has this version of kpixl.",
    ),
    "scheduler-unreachable": Entry(
        E,
        "无法连接调度器 {address}（{reason}）。",
        "请检查地址，例如 tcp://192.168.1.5:8786；不用集群时去掉 --scheduler。",
        "The scheduler {address} cannot be reached ({reason}).",
        "Check the address, such as tcp://192.168.1.5:8786; leave out --scheduler to read on this machine.",
    ),
    "scheduler-needs-dask": Entry(
        E,
        "使用 --scheduler 需要 Dask。",
        "请运行 pip install 'kpixl[dask]'，或去掉 --scheduler。",
        "--scheduler needs Dask.",
        "Run pip install 'kpixl[dask]', or leave out --scheduler.",
    ),
    "mail-text": Entry(
        I,
        "邮件正文有文字；kpixl 只读取附件，正文没有汇总：{texts}。",
        "正文中如有应填报的内容，请填入附件的表中。",
        "Something is written in the mail itself; only what is attached is read: {texts}.",
        "If it belongs into the form, type it there.",
        title=("邮件正文中的文字", "Text in a mail"),
    ),
    "mail-no-attachment": Entry(
        W,
        "邮件中没有附件{pictures}。",
        "请在邮件程序中核对：附件若是链接（超大附件、网盘）或粘贴的图片，请取得文件本身，放进文件夹后重新运行。",
        "Nothing is attached to the mail{pictures}.",
        "Look at it in the mail program: where it has a link to a file or a picture of one, get the file itself, put "
        "it into the folder and run again.",
        title=("没有附件的邮件", "A mail without attachments"),
    ),
    "mail-same": Entry(
        I,
        "与 {other} 是同一个文件，算作一份，以最早收到的时间为准。",
        "",
        "This is the same file as {other}; both are one return, which came when the first of them was received.",
        "",
        title=("几封邮件中的同一个文件", "The same file in several mails"),
    ),
}
