import { join } from 'node:path';
import { ensureRecipe } from '../../scripts/recipe.ts';

/** What the package is tried with: 230 MB that `npm ci` need not bring to those who only start it. */
export function ensureTools(log?: (line: string) => void): Promise<string> {
	const folder = join(import.meta.dirname, 'tools');
	return ensureRecipe({ folder, name: 'tools', what: 'Deno, Bun and linters of packages' }, log);
}
