/**
 * Tables of a host in the tests: papers of groups, in folders of their organization.
 *
 * @module
 */
import { relations } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { testEnv } from './environment.ts'

export const folders = sqliteTable('folders', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
})
export const papers = sqliteTable('papers', {
  id: text('id').primaryKey(),
  organization: text('organization_id').notNull(),
  group: text('group_id').notNull(),
  folderId: text('folder_id'),
  body: text('body').notNull(),
})
export const paperLabels = sqliteTable('paper_labels', {
  id: text('id').primaryKey(),
  paperId: text('paper_id').notNull(),
})
const folderRelations = relations(folders, ({ many }) => ({ papers: many(papers) }))
const paperRelations = relations(papers, ({ one, many }) => ({
  folder: one(folders, { fields: [papers.folderId], references: [folders.id] }),
  labels: many(paperLabels),
}))
const labelRelations = relations(paperLabels, ({ one }) => ({
  paper: one(papers, { fields: [paperLabels.paperId], references: [papers.id] }),
}))

/** A handle that is not guarded. */
export function papersDatabase() {
  return drizzle(testEnv.DB, {
    schema: {
      folders,
      papers,
      labels: paperLabels,
      folderRelations,
      paperRelations,
      labelRelations,
    },
  })
}
