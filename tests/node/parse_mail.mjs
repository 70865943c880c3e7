// Parse a mail with postal-mime, which shares no code with kpixl, and print what it holds as JSON.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import PostalMime from "postal-mime";

const mail = await PostalMime.parse(readFileSync(process.argv[2]));
const digest = (content) => createHash("sha256").update(Buffer.from(content)).digest("hex");
const attachments = mail.attachments.map(({ filename, mimeType, content }) => [filename, mimeType, digest(content)]);
const headers = Object.fromEntries(mail.headers.map(({ key, value }) => [key, value]));
console.log(JSON.stringify({ to: mail.to, subject: mail.subject, text: mail.text, attachments, unsent: headers["x-unsent"] }));
