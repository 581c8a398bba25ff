/** @file One form for texts that are compared: é as one character and é as e with an accent behind it are the same word. */

/** A text in the form in which texts are compared, and stored where they name something: Unicode's NFC. What is shown stays as it came. */
export function composed(text: string): string {
  return text.normalize("NFC");
}
