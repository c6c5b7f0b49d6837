// Finds values in a FlatBuffer, such as a .tflite file: tables whose fields are found by number.

/** Returns the view of a file's bytes and the position of its root table. */
export function root(content) {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  return { view, table: follow(view, 0) };
}

/** Returns the position of a table's field, or 0 if the table has no field of that number. */
export function field(view, table, number) {
  const fields = table - view.getInt32(table, true);
  const entry = 4 + 2 * number;
  const offset = entry < view.getUint16(fields, true) ? view.getUint16(fields + entry, true) : 0;
  return offset && table + offset;
}

/** Returns the position that an offset points to. */
export function follow(view, at) {
  return at + view.getUint32(at, true);
}

/** Returns the position and number of the elements in a table's vector, or 0 and 0 if the table has none. */
export function vector(view, table, number) {
  const at = field(view, table, number);
  if (!at) return { start: 0, length: 0 };
  const start = follow(view, at);
  return { start: start + 4, length: view.getUint32(start, true) };
}

/** Returns the position of one table in a vector of tables. */
export function element(view, { start }, index) {
  return follow(view, start + 4 * index);
}
