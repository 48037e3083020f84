/** An entry before it has its timestamp, unless it is of another time than the report. */
export interface Entry {
	id: string;
	type: string;
	timestamp?: number;
	[member: string]: unknown;
}
