module github.com/seedge/seedge/internal/kernel/gen

go 1.26
