"""Which lines of programs are right: labels that come from changing references and running them, without a teacher."""
