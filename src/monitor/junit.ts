/** A report as JUnit XML, which CI systems show. Pure. */

import type { ProbeReport, ReportedProbe } from './report.ts'

/** One suite; each probe is a test case, its class the class name. */
export function junitText({ startedAt, endedAt, probes, bad }: ProbeReport): string {
  const time = seconds(Date.parse(endedAt) - Date.parse(startedAt))
  const counts = `tests="${probes.length}" failures="${bad}" errors="0" skipped="0" time="${time}"`
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts}>`,
    `  <testsuite name="derpprobe" ${counts} timestamp="${startedAt}">`,
    ...probes.map(caseText),
    '  </testsuite>',
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}

function caseText({ name, class: kind, latencyMs = 0, error, notes }: ReportedProbe): string {
  const parts = [
    ...(error === undefined ? [] : [`      <failure message="${escapeXml(error)}"/>`]),
    ...(notes.length === 0 ? [] : [`      <system-out>${escapeXml(notes.join('\n'))}</system-out>`]),
  ]
  const head = `    <testcase name="${escapeXml(name)}" classname="${escapeXml(kind)}" time="${seconds(latencyMs)}"`
  return parts.length === 0 ? `${head}/>` : `${head}>\n${parts.join('\n')}\n    </testcase>`
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(3)
}

/** For attributes and text; characters that XML cannot have become question marks. */
function escapeXml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll('\n', '&#10;')
}
