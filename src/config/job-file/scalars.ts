/** What a plain scalar of YAML 1.2 stands for (core schema). */
export interface ScalarValue {
  readonly value: string | number | boolean | null;
  /** It looks like a number, but its value would not be what was written: digits are lost, or a zero before it. */
  readonly lossy?: true;
}

const OTHER_INT = /^0(?:o[0-7]+|x[0-9a-fA-F]+)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

export function plainScalar(source: string): ScalarValue {
  if (/^(?:~|null|Null|NULL|)$/.test(source)) return { value: null };
  if (/^(?:true|True|TRUE)$/.test(source)) return { value: true };
  if (/^(?:false|False|FALSE)$/.test(source)) return { value: false };
  if (source.length > 400) return { value: source };
  if (OTHER_INT.test(source)) {
    const number = Number(source);
    return Number.isSafeInteger(number) ? { value: number } : { value: source, lossy: true };
  }
  if (!FLOAT.test(source)) return { value: source };
  const number = Number(source);
  const zeroFirst = /^[-+]?0[0-9]/.test(source);
  const exact = Number.isFinite(number) && digitsOf(source) === digitsOf(String(number));
  return exact && !zeroFirst ? { value: number } : { value: source, lossy: true };
}

/** Digits and power of ten of a number as written, so that `1.10` and `1.1` are the same. */
function digitsOf(text: string): string {
  const [, whole = '', part = '', power = '0'] = /^[-+]?([0-9]*)\.?([0-9]*)(?:[eE]([-+]?[0-9]+))?$/.exec(text) ?? [];
  const digits = `${whole}${part}`.replace(/^0+/, '');
  const short = digits.replace(/0+$/, '');
  return short === '' ? '0' : `${short}e${Number(power) - part.length + digits.length - short.length}`;
}

/** Words that YAML 1.1 reads as true or false, and YAML 1.2 as text. */
export function oldBoolean(text: string): boolean | undefined {
  if (/^(?:y|yes|on)$/i.test(text)) return true;
  return /^(?:n|no|off)$/i.test(text) ? false : undefined;
}
