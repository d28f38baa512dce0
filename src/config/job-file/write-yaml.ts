import { Document, Scalar, visit } from 'yaml';
import type { Fields } from './said.ts';

const WIDTH = 120;
/** Characters that must be written as escapes, which only double quotes know. */
const ESCAPED = /[^\n\t\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]|[\u2028\u2029\ufeff]/u;
/** Words that YAML 1.1 takes for something else than text. */
const OLD_WORD = /^(?:y|n|yes|no|on|off)$/i;

/** A job file as YAML that is read back as the same. */
export function writeYaml(fields: Fields): string {
  const document = new Document(fields, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (key, node) => {
      if (typeof node.value !== 'string' || (key === 'key' && node.value === 'on')) return;
      if (ESCAPED.test(node.value) || OLD_WORD.test(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({
    lineWidth: WIDTH,
    flowCollectionPadding: false,
    doubleQuotedMinMultiLineLength: 1_000_000,
  });
}
