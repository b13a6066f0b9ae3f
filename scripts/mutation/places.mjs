import ts from 'typescript';

const { SyntaxKind: Kind } = ts;
/** Operators and what each is changed to: the boundary moved, the sense turned round, another sum. */
const OPERATORS = new Map([
  [Kind.LessThanToken, ['<=', '>=']],
  [Kind.LessThanEqualsToken, ['<', '>']],
  [Kind.GreaterThanToken, ['>=', '<=']],
  [Kind.GreaterThanEqualsToken, ['>', '<']],
  [Kind.EqualsEqualsEqualsToken, ['!==']],
  [Kind.ExclamationEqualsEqualsToken, ['===']],
  [Kind.PlusToken, ['-']],
  [Kind.MinusToken, ['+']],
  [Kind.AsteriskToken, ['/']],
  [Kind.SlashToken, ['*']],
  [Kind.PercentToken, ['*']],
  [Kind.AsteriskAsteriskToken, ['*']],
  [Kind.LessThanLessThanToken, ['>>']],
  [Kind.GreaterThanGreaterThanToken, ['<<']],
  [Kind.GreaterThanGreaterThanGreaterThanToken, ['<<']],
  [Kind.AmpersandToken, ['|']],
  [Kind.BarToken, ['&']],
  [Kind.CaretToken, ['|']],
  [Kind.AmpersandAmpersandToken, ['||']],
  [Kind.BarBarToken, ['&&']],
  [Kind.QuestionQuestionToken, ['&&']],
  [Kind.PlusEqualsToken, ['-=']],
  [Kind.MinusEqualsToken, ['+=']],
  [Kind.AsteriskEqualsToken, ['/=']],
  [Kind.SlashEqualsToken, ['*=']],
]);
const SWAPPED = new Map([
  ['min', 'max'],
  ['max', 'min'],
  ['every', 'some'],
  ['some', 'every'],
  ['floor', 'ceil'],
  ['ceil', 'floor'],
]);

/**
 * What can be changed in a source file, one thing at a time. Left alone: types, imports, and all that is inside a thrown
 * error, whose words are for people.
 * @returns {{ start, end, line, from, within, after, changes: { kind, to }[] }[]} `within` and `after`: the line's text, and that of the
 *   line before it, to know the place by
 */
export function placesIn(file, source) {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const places = [];
  const add = (node, changes, start = node.getStart(tree), end = node.getEnd()) => {
    const { line } = tree.getLineAndCharacterOfPosition(start);
    const [after, within] = linesAt(source, start);
    places.push({ start, end, line: line + 1, from: source.slice(start, end), within, after, changes });
  };
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return;
    placesAt(node, tree, add);
    if (isError(node)) return;
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return places;
}

function placesAt(node, tree, add) {
  if (ts.isBinaryExpression(node)) binary(node, tree, add);
  else if (ts.isPrefixUnaryExpression(node)) prefix(node, tree, add);
  else if (ts.isPostfixUnaryExpression(node)) {
    const to = node.operator === Kind.PlusPlusToken ? '--' : '++';
    add(node, [{ kind: 'count', to }], node.operand.getEnd(), node.getEnd());
  } else if (ts.isNumericLiteral(node)) {
    add(node, [{ kind: 'number', to: `(${node.getText(tree)} + 1)` }]);
  } else if (ts.isStringLiteral(node) && node.text !== '' && isCompared(node)) {
    add(node, [{ kind: 'text', to: "''" }]);
  } else if (ts.isIfStatement(node)) condition(node.expression, ['true', 'false'], add);
  else if (ts.isConditionalExpression(node)) condition(node.condition, ['true', 'false'], add);
  else if (ts.isWhileStatement(node)) condition(node.expression, ['false'], add);
  else if (node.kind === Kind.TrueKeyword) add(node, [{ kind: 'truth', to: 'false' }]);
  else if (node.kind === Kind.FalseKeyword) add(node, [{ kind: 'truth', to: 'true' }]);
  else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    const { name } = node.expression;
    if (SWAPPED.has(name.text)) add(name, [{ kind: 'call', to: SWAPPED.get(name.text) }]);
  } else statement(node, add);
}

function binary(node, tree, add) {
  const { operatorToken, left, right } = node;
  const changed = OPERATORS.get(operatorToken.kind);
  if (!changed) return;
  const texts = [left, right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side));
  if (texts && operatorToken.kind === Kind.PlusToken) return;
  const isBoundary = (to) => changed.length > 1 && to === changed[0];
  add(
    operatorToken,
    changed.map((to) => ({ kind: isBoundary(to) ? 'boundary' : 'operator', to })),
  );
}

function prefix(node, tree, add) {
  const { operator, operand } = node;
  if (operator === Kind.ExclamationToken || operator === Kind.MinusToken) {
    add(node, [{ kind: 'negation', to: operand.getText(tree) }]);
  } else if (operator === Kind.PlusPlusToken || operator === Kind.MinusMinusToken) {
    const to = operator === Kind.PlusPlusToken ? '--' : '++';
    add(node, [{ kind: 'count', to }], node.getStart(tree), operand.getStart(tree));
  }
}

function condition(expression, values, add) {
  add(
    expression,
    values.map((to) => ({ kind: 'condition', to })),
  );
}

/** Statements that go: a call, an assignment, a throw, a return, a jump. */
function statement(node, add) {
  const goes =
    (ts.isExpressionStatement(node) && !isDirective(node)) ||
    ts.isThrowStatement(node) ||
    ts.isReturnStatement(node) ||
    ts.isContinueStatement(node) ||
    ts.isBreakStatement(node);
  // A function that has nothing but its return, and is not followed by another way, gives undefined: found at once.
  if (goes) add(node, [{ kind: 'statement', to: ts.isBlock(node.parent) || ts.isCaseClause(node.parent) ? '' : ';' }]);
}

const isDirective = ({ expression }) => ts.isStringLiteral(expression);

/** Texts that decide something: what is compared, or looked for. */
function isCompared(node) {
  const { parent } = node;
  if (ts.isCaseClause(parent)) return true;
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    return kind === Kind.EqualsEqualsEqualsToken || kind === Kind.ExclamationEqualsEqualsToken;
  }
  return (
    ts.isCallExpression(parent) &&
    /\.(startsWith|endsWith|includes|indexOf|has|get|split)$/.test(parent.expression.getText())
  );
}

/** A thrown error, or one that is made to be thrown. */
function isError(node) {
  if (ts.isThrowStatement(node)) return true;
  return ts.isNewExpression(node) && /Error$/.test(node.expression.getText());
}

/** The line before a place, and its own. */
function linesAt(source, position) {
  const from = source.lastIndexOf('\n', position - 1) + 1;
  const to = source.indexOf('\n', position);
  const previous = source.slice(0, from).trimEnd();
  return [previous.slice(previous.lastIndexOf('\n') + 1).trim(), source.slice(from, to < 0 ? undefined : to).trim()];
}
