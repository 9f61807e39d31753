"""Comités (de coordination, des financeurs, groupe de travail interministériel…): sessions, agendas, votes, minutes, follow-ups."""
