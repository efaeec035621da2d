package odoo

import (
	"fmt"
	"strings"
)

// version is the table of everything in which Odoo 16, 18 and 19 answer
// differently. Code asks for an entry by name and never for the number.
// Sources: our recordings of 16.0, 18.0 (18.0+e-20241005) and 19.0.
type version struct {
	number     int
	serverName string // version()'s server_version
	serie      string
	errorCode  int  // error.code of an application error
	json2      bool // /json/2 and /web/version are served

	// Names that moved.
	lineUoM, lineTax               string // sale.order.line
	moveDone                       string // stock.move: the quantity a person typed
	moveLineDone, moveLineReserved string // stock.move.line
	taxIncluded                    string // account.tax: the field that says the price includes it
	productKind                    string // product.template: the field with "goods or service"
	warehouseContext               string // context key of a product's quantities
	userGroups                     string // res.users
	hasMoveName                    bool   // stock.move has a name
	hasTaxMaps                     bool   // fiscal positions map taxes in account.fiscal.position.tax
	factorIsRatio                  bool   // uom.uom factor counts reference units (19), not their inverse
	kindStorable, kindConsumable   string // values of productKind
	storableFlag                   bool   // is_storable says whether stock is kept
	pickedFlag                     bool   // stock.move has picked
	lockedFlag                     bool   // sale.order has locked; before, state done is the lock

	// What differs in what happens.
	wholeSeconds         bool // datetimes compare by whole seconds
	priceDigits          int  // digits price_unit is rounded to at write; -1 keeps it as given
	pricelistRequired    bool // sale.order.pricelist_id and warehouse_id are mandatory
	pricelistInDraftOnly bool // an order that begins in another state gets no price list
	pricelistSetting     bool // price lists work only when the setting is on
	pricelistHasCompany  bool // a new price list belongs to the current company
	ruleNamesTemplate    bool // a price rule on a variant also names its template
	searchArguments      int  // positional arguments search takes, self included
	manualPriceKept      bool // a price written by hand survives a change of the quantity
	confirmTwiceAllowed  bool
	cancelAsks           bool // action_cancel of a confirmed order answers a wizard
	validityDays         int  // sale.order.validity_date is today plus this; 0 leaves it empty
	originNamesReference bool // stock.picking.origin is "S00025 - WEB-1001"
	domesticPosition     bool // orders get the domestic fiscal position
	archivedReferences   bool // load finds an archived record by its database id
	languageChecked      bool // context.lang must be installed
	immediateTransfer    bool // button_validate with nothing typed answers a wizard
	applyTwiceZeroes     bool // repeating action_apply_inventory sets the stock to 0
	unreserveNewestFirst bool // stock lowered below what is reserved: the newest order loses it first
	reservesByItself     bool // raised stock is reserved without action_assign
	deadlineMovesAll     bool // a new commitment date moves the transfer and its cancelled moves too
	productLocked        bool // the product of a confirmed line cannot be changed
	lineWarehouseMoves   bool // lines move when the order's warehouse changes
	doneIsDemand         bool // a finished move's demand becomes what was done, more than ordered too
	raisedMovesPicking   bool // a raised demand also moves the transfer's write_date
	addressAsDisplayName bool // res.partner orders by display_name (16), later complete_name
	uomByFactorOnly      bool // uom.uom has no category
	includedRoundsBase   bool // a tax in the price: the base is rounded and the tax is the rest
	companyMixAllowed    bool // an order for another company than the context's is accepted

	globalTaxStep float64 // the finest step taxes are rounded to globally, whatever the currency

	// Texts.
	unknownField, unknownFieldCreate func(field, model string) string
	unknownLeaf                      func(model, field, leaf string) string
	unknownColumn                    func(field string) *fault
	unknownMethod                    func(model, method string) string
	privateMethod                    func(model, method string) string
	missingOnCreate                  func(label, model, fieldLabel, field string) string
	missingOnLoad                    func(label, model, fieldLabel, field string) string
	missingOnLinked                  func(parentLabel, field, table string) string
	accessRule                       func(user string, uid int, op, label, model, hint string) string
	fieldRights                      func(field, label, model string, uid int) string
	otherCompany                     func(record, company, field, fieldName, value string) string
	otherCompanyFoot                 string
	tagExists, lineKept, viewMode    string
	duplicateBarcode                 func(code string, products []string) string
	locationCustomers                string
	backorderView                    int
	accessRightsGroup                string
	locationInUse                    string        // archiving a location that holds stock; %s is its name
	nothingToValidate                string        // validating a transfer that holds nothing; "" is not recorded
	emptyID                          int           // what load makes of an empty .id cell
	noKey                            func() *fault // load in mode update without an external id
}

const (
	emptyIDUnknown = iota // "Unknown database identifier ''"
	emptyIDMakesNew
	emptyIDBreaksTransaction
)

var versions = map[int]*version{16: version16(), 18: version18(), 19: version19()}

func version16() *version {
	v := version18()
	v.number, v.serverName, v.serie = 16, "16.0", "16.0"
	v.moveDone, v.moveLineDone, v.moveLineReserved = "quantity_done", "qty_done", "reserved_uom_qty"
	v.taxIncluded, v.productKind = "price_include", "detailed_type"
	v.warehouseContext = "warehouse"
	v.kindStorable, v.storableFlag, v.pickedFlag, v.lockedFlag = "product", false, false, false
	v.pricelistRequired, v.pricelistInDraftOnly = true, false
	v.pricelistHasCompany, v.searchArguments = false, 0
	v.manualPriceKept, v.confirmTwiceAllowed = false, true
	v.validityDays, v.originNamesReference = 0, false
	v.archivedReferences, v.languageChecked = false, false
	v.immediateTransfer, v.unreserveNewestFirst = true, false
	v.lineWarehouseMoves = false
	v.doneIsDemand, v.raisedMovesPicking = true, false
	v.addressAsDisplayName = true
	v.includedRoundsBase, v.globalTaxStep = true, 0.01
	v.companyMixAllowed = true
	v.unknownColumn = func(f string) *fault { return &fault{Name: "builtins.KeyError", Message: f} }
	v.missingOnLinked = func(_, f, _ string) string {
		return fmt.Sprintf("Missing required value for the field '%s'", f)
	}
	v.accessRule = func(_ string, _ int, _, label, model, _ string) string {
		return fmt.Sprintf("Due to security restrictions, you are not allowed to access '%s' (%s) records.\n\nContact your administrator to request access if necessary.", label, model)
	}
	v.fieldRights = func(f, label, model string, uid int) string {
		return fmt.Sprintf("The requested operation can not be completed due to security restrictions.\n\nDocument type: %s (%s)\nOperation: read\nUser: %d\nFields:\n- %s (allowed for groups 'Technical / Show Accounting Features - Readonly', 'Invoicing / Billing')", label, model, uid, f)
	}
	v.otherCompany = func(record, company, label, field, value string) string {
		return fmt.Sprintf("Incompatible companies on records:\n- '%s' belongs to company '%s' and '%s' (%s: '%s') belongs to another company.", record, company, label, field, value)
	}
	v.tagExists = "Tag name already exists !"
	v.lineKept = "You can not remove an order line once the sales order is confirmed.\nYou should rather set the quantity to 0."
	v.viewMode = "tree,form"
	v.duplicateBarcode = func(code string, products []string) string {
		return fmt.Sprintf("Barcode(s) already assigned:\n\n- Barcode \"%s\" already assigned to product(s): %s", code, strings.Join(products, ", "))
	}
	v.backorderView = 861
	v.locationInUse = "You still have some product in locations %s"
	v.nothingToValidate = "You cannot validate a transfer if no quantities are reserved nor done. To force the transfer, switch in edit mode and encode the done quantities."
	v.emptyID = emptyIDBreaksTransaction
	return v
}

func version18() *version {
	v := &version{
		number: 18, serverName: "18.0+e-20241005", serie: "18.0", errorCode: 200,
		lineUoM: "product_uom", lineTax: "tax_id",
		moveDone: "quantity", moveLineDone: "quantity", moveLineReserved: "quantity_product_uom",
		taxIncluded: "price_include_override", productKind: "type", warehouseContext: "warehouse_id",
		userGroups: "groups_id", hasMoveName: true, hasTaxMaps: true,
		kindStorable: "consu", kindConsumable: "consu", storableFlag: true, pickedFlag: true, lockedFlag: true,
		priceDigits: 2, pricelistHasCompany: true, searchArguments: 5, pricelistInDraftOnly: true, manualPriceKept: true, cancelAsks: true,
		validityDays: 30, originNamesReference: true, archivedReferences: true, languageChecked: true,
		unreserveNewestFirst: true, lineWarehouseMoves: true, raisedMovesPicking: true, deadlineMovesAll: true,
		tagExists:         "Tag name already exists!",
		lineKept:          "Once a sales order is confirmed, you can't remove one of its lines (we need to track if something gets invoiced or delivered).\n                Set the quantity to 0 instead.",
		viewMode:          "list,form",
		locationInUse:     "You can't disable locations %s because they still contain products.",
		locationCustomers: "Partners/Customers", backorderView: 972,
		accessRightsGroup: "Administration/Access Rights",
	}
	v.unknownField = func(f, m string) string { return fmt.Sprintf("Invalid field '%s' on model '%s'", f, m) }
	v.unknownFieldCreate = v.unknownField
	v.unknownLeaf = func(m, f, leaf string) string { return fmt.Sprintf("Invalid field %s.%s in leaf %s", m, f, leaf) }
	v.unknownColumn = func(f string) *fault {
		return &fault{Name: "builtins.ValueError", Message: fmt.Sprintf("Invalid field name '%s'", f)}
	}
	v.unknownMethod = func(m, name string) string {
		return fmt.Sprintf("The method '%s' does not exist on the model '%s'", name, m)
	}
	v.privateMethod = func(_, name string) string {
		return fmt.Sprintf("Private methods (such as %s) cannot be called remotely.", name)
	}
	v.missingOnCreate = func(label, m, fieldLabel, f string) string {
		return fmt.Sprintf("The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n- Delete: another model requires the record being deleted. If possible, archive it instead.\n\nModel: %s (%s)\nField: %s (%s)\n", label, m, fieldLabel, f)
	}
	v.missingOnLoad = func(_, _, fieldLabel, f string) string {
		return fmt.Sprintf("Missing required value for the field '%s' (%s)", fieldLabel, f)
	}
	v.missingOnLinked = func(_, f, table string) string {
		return fmt.Sprintf("Missing required value for the field '%s' on a linked model [%s]", f, table)
	}
	v.accessRule = func(user string, uid int, op, label, m, hint string) string {
		return fmt.Sprintf("Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, %s (id=%d) doesn't have '%s' access to:\n- %s (%s)\n\nIf you really, really need access, perhaps you can win over your friendly administrator with a batch of freshly baked cookies.%s", user, uid, op, label, m, hint)
	}
	v.fieldRights = func(f, label, m string, uid int) string {
		return fmt.Sprintf("You do not have enough rights to access the fields \"%s\" on %s (%s). Please contact your system administrator.\n\nOperation: read\nUser: %d\nFields:\n- %s (allowed for groups 'Technical / Show Accounting Features - Readonly', 'Invoicing / Invoicing')", f, label, m, uid, f)
	}
	v.otherCompany = func(record, company, label, field, value string) string {
		return fmt.Sprintf("Incompatible companies on records:\n- “%s” belongs to company “%s” and “%s” (%s: '%s') belongs to another company.", record, company, label, field, value)
	}
	v.duplicateBarcode = func(code string, products []string) string {
		return fmt.Sprintf("Barcode(s) already assigned:\n\n- Barcode \"%s\" already assigned to product(s): %s\n\nNote: products that you don't have access to will not be shown above.", code, listAnd(products))
	}
	v.noKey = func() *fault {
		return &fault{Name: "builtins.KeyError", Message: "Unknown error during import: <class 'KeyError'>: 'record'"}
	}
	return v
}

func version19() *version {
	v := version18()
	v.json2 = true
	v.number, v.serverName, v.serie, v.errorCode = 19, "19.0", "19.0", 0
	v.lineUoM, v.lineTax, v.userGroups = "product_uom_id", "tax_ids", "group_ids"
	v.hasMoveName, v.hasTaxMaps, v.factorIsRatio, v.uomByFactorOnly = false, false, true, true
	v.wholeSeconds, v.priceDigits = true, -1
	v.pricelistSetting, v.cancelAsks, v.originNamesReference = true, false, false
	v.domesticPosition, v.applyTwiceZeroes, v.reservesByItself = true, true, true
	v.productLocked, v.ruleNamesTemplate = true, true
	v.deadlineMovesAll = false
	v.unknownField = func(f, m string) string { return fmt.Sprintf("Invalid field '%s' on '%s'", f, m) }
	v.unknownFieldCreate = func(f, m string) string { return fmt.Sprintf("Invalid field '%s' in '%s'", f, m) }
	v.unknownLeaf = func(m, f, leaf string) string {
		return fmt.Sprintf("Invalid field %s.%s in condition %s", m, f, leaf)
	}
	v.unknownMethod = func(m, name string) string {
		return fmt.Sprintf("The method '%s.%s' does not exist", m, name)
	}
	v.privateMethod = func(m, name string) string {
		return fmt.Sprintf("Private methods (such as '%s.%s') cannot be called remotely.", m, name)
	}
	long := func(modelText, fieldLabel, f string) string {
		return fmt.Sprintf("Missing required value for the field '%s' (%s).\nModel: %s\n- create/update: a mandatory field is not set\n- delete: another model requires the record being deleted, you can archive it instead\n", fieldLabel, f, modelText)
	}
	v.missingOnLoad = func(label, m, fieldLabel, f string) string {
		return long(fmt.Sprintf("'%s' (%s)", label, m), fieldLabel, f)
	}
	v.missingOnCreate = func(label, m, fieldLabel, f string) string {
		return "The operation cannot be completed: " + v.missingOnLoad(label, m, fieldLabel, f)
	}
	v.missingOnLinked = func(parentLabel, f, _ string) string { return long("Unknown", parentLabel, f) }
	v.fieldRights = func(f, label, m string, uid int) string {
		return fmt.Sprintf("You do not have enough rights to access the field \"%s\" on %s (%s). Please contact your system administrator.\n\nOperation: read\nUser: %d\nGroups: allowed for groups 'Show Accounting Features - Readonly', 'Accounting / Invoicing'", f, label, m, uid)
	}
	v.otherCompany = func(record, company, label, field, value string) string {
		return fmt.Sprintf("Uh-oh! You’ve got some company inconsistencies here:\n- “%s” belongs to company “%s” while “%s” (%s: '%s') belongs to another company.", record, company, label, field, value)
	}
	v.otherCompanyFoot = "\nTo avoid a mess, no company crossover is allowed!"
	v.locationCustomers = "Customers"
	v.backorderView = 1018
	v.accessRightsGroup = "Access Rights"
	v.emptyID = emptyIDMakesNew
	v.noKey = func() *fault {
		return &fault{Name: "odoo.exceptions.UserError", Message: "Cannot update a record without specifying its id or xml_id"}
	}
	return v
}

// versionInfo is how Odoo writes its version in parts.
func (v *version) versionInfo() []any { return []any{v.number, 0, 0, "final", 0, ""} }

// modelLabels are the titles error messages give the models.
var modelLabels = map[string]string{
	"sale.order": "Sales Order", "sale.order.line": "Sales Order Line", "res.partner": "Contact",
	"product.product": "Product Variant", "product.template": "Product", "stock.quant": "Quants",
	"account.move": "Journal Entry", "ir.model.data": "Model Data", "stock.picking": "Transfer",
	"stock.warehouse": "Warehouse", "stock.location": "Inventory Locations", "account.tax": "Tax",
}

func (v *version) modelLabel(model string) string {
	if l, ok := modelLabels[model]; ok {
		return l
	}
	return model
}

func listAnd(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}
